import type { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from "node:zlib";
import { Refusal } from "../base/errors.ts";

/** More bytes than allowed, before or after a decompression. */
export class TooLong extends Error {
  override readonly name = "TooLong";
}

/** The server used a content coding that was not in Accept-Encoding, or too many. The message names them. */
export class UnknownCoding extends Error {
  override readonly name = "UnknownCoding";
}

/** Some servers compress twice. Only a decompression bomb needs a third layer. */
const mostCodings = 2;
/** Small enough for a decoder to notice an abort soon, even if it produces no output. */
const pieceBytes = 65_536;

/**
 * The decompressed bytes of a response. Each layer stops as soon as it exceeds `maxBytes`, so a decompression bomb costs
 * little time and at most twice that memory.
 * @param codings the Content-Encoding header, in the order they were applied (RFC 9110 §8.4)
 * @param signal stops reading and decompressing
 * @throws TooLong, UnknownCoding, zlib's errors (code Z_*, ERR_*), an AbortError, and connection errors
 */
export async function readBody(
  body: Readable,
  codings: string | undefined,
  limits: { maxBytes: number; signal: AbortSignal },
): Promise<Uint8Array> {
  const names = (codings ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  try {
    if (names.length > mostCodings) throw new UnknownCoding(names.join(", ").slice(0, 100));
    let bytes = await collect(body, null, limits);
    for (const name of names.toReversed()) bytes = await collect(pieces(bytes), decoderFor(name, bytes), limits);
    return bytes;
  } finally {
    body.on("error", () => {}).destroy();
  }
}

async function collect(
  source: Readable | Iterable<Uint8Array>,
  decoder: Transform | null,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const sink = async (output: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of output) {
      size += chunk.length;
      if (size > maxBytes) throw new TooLong();
      chunks.push(chunk);
    }
  };
  await (decoder === null ? pipeline(source, sink, { signal }) : pipeline(source, decoder, sink, { signal }));
  return Buffer.concat(chunks);
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

function decoderFor(coding: string, [first = 0]: Uint8Array): Transform {
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "br":
      return createBrotliDecompress();
    case "deflate":
      // This means the zlib format (RFC 9110 §8.4.1.2). Some servers send it without its header.
      return (first & 0x0f) === 8 ? createInflate() : createInflateRaw();
    default:
      throw new UnknownCoding(coding);
  }
}

export interface TimeLimit {
  signal: AbortSignal;
  /** Rejects as soon as the time is up, even if `work` ignores the signal. */
  race<T>(work: Promise<T>): Promise<T>;
  /** null if the time is not up and the caller did not stop. */
  refusal(url: string): Refusal | null;
  end(): void;
}

/** One deadline for a whole fetch, combined with the caller's signal. */
export function timeLimit(timeoutMs: number, outer: AbortSignal | undefined): TimeLimit {
  const controller = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, timeoutMs);
  const stop = () => controller.abort();
  if (outer?.aborted) stop();
  outer?.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    race: (work) => Promise.race([work, stopped(controller.signal)]),
    refusal(url: string): Refusal | null {
      if (!controller.signal.aborted) return null;
      if (late) return new Refusal(502, "source_timeout", { url, seconds: timeoutMs / 1000 });
      return new Refusal(502, "source_interrupted", { url });
    },
    end(): void {
      clearTimeout(timer);
      outer?.removeEventListener("abort", stop);
    },
  };
}

/** Rejects when the signal aborts. */
export function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error("stopped"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
