import { open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";

/** The folder for emails of a server without a relay. */
export function outboxFolder(dataDir: string): string {
  return join(dataDir, "outbox");
}

/** The file names of the emails. Empty if the folder does not exist. */
export async function outboxFiles(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter(isMailFile);
}

/** A plain name, so that no path leads out of the folder. */
export function isMailFile(name: string): boolean {
  return /^[\w@+-][\w.@+-]{0,250}\.eml$/.test(name);
}

/** Much more than the headers that Dayletter writes. */
const headBytes = 16_384;

/** An email's header with the blank line after it. */
export async function readHead(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    const end = head.indexOf("\r\n\r\n");
    return head.subarray(0, end < 0 ? undefined : end + 4);
  } finally {
    await file.close();
  }
}

export interface OwnMails {
  /** In lower case. */
  address: string;
  /** The local parts of their Message-IDs. The domain can differ, because the sender can have changed. */
  ids: ReadonlySet<string>;
}

/** Deletes the emails to an address, and those with one of the ids. */
export async function removeMails(folder: string, own: OwnMails): Promise<void> {
  for (const name of await outboxFiles(folder)) {
    const path = join(folder, name);
    if (own.ids.has(name.slice(0, name.indexOf("@"))) || (await recipientOf(path)) === own.address) await unlink(path);
  }
}

/** In lower case; null if the file no longer exists. */
async function recipientOf(path: string): Promise<string | null> {
  const head = await readHead(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  const to = head === null ? null : /^to:(.*)$/im.exec(head.toString("utf8"));
  return to?.[1]?.trim().toLowerCase() ?? null;
}
