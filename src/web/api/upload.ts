import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Refusal } from "../../base/errors.ts";

/**
 * Stores an upload in a private file and passes it to `work`. A transaction must not wait for a slow client, and an incomplete
 * upload must not look like a complete list.
 * @throws Refusal 413 for more than `megabytes`, 400 if the upload is incomplete
 */
export async function withUpload<T>(
  upload: Readable,
  megabytes: number,
  work: (list: Readable) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "dayletter-import-"));
  const file = join(folder, "list");
  try {
    await receive(upload, file, megabytes);
    return await work(createReadStream(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function receive(upload: Readable, file: string, megabytes: number): Promise<void> {
  try {
    await pipeline(upload, limitTo(megabytes), createWriteStream(file, { mode: 0o600 }));
  } catch (error) {
    if (error instanceof Refusal || !upload.destroyed || !isAbort(error)) throw error;
    throw new Refusal(400, "The upload broke off, so nothing was imported: send it again.");
  }
}

function isAbort(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE";
}

function limitTo(megabytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= megabytes * 1_000_000) return done(null, chunk);
      done(new Refusal(413, `The list is longer than ${megabytes} MB: import it in parts.`));
    },
  });
}
