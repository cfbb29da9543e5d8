import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from "node:zlib";

/** More bytes than allowed, counted behind the decompression. */
export class TooLong extends Error {
  override readonly name = "TooLong";
}

/** The server used a coding that nobody asked it for. */
export class UnknownCoding extends Error {
  override readonly name = "UnknownCoding";
}

/**
 * The decompressed bytes of a response. Stops reading as soon as there are more than `maxBytes`, so that a bomb costs no
 * more memory than that.
 * @param codings the Content-Encoding header, in the order they were applied (RFC 9110 §8.4)
 * @throws TooLong, UnknownCoding, zlib's errors (code Z_*, ERR_*), and whatever the connection ends with
 */
export async function readBody(body: Readable, codings: string | undefined, maxBytes: number): Promise<Uint8Array> {
  const names = (codings ?? "")
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "" && name !== "identity");
  let stream = body;
  for (const name of names.toReversed()) {
    stream = await decompressed(stream, name);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw new TooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function decompressed(stream: Readable, coding: string): Promise<Readable> {
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return through(stream, createGunzip());
    case "br":
      return through(stream, createBrotliDecompress());
    case "deflate":
      return inflated(stream);
    default:
      throw new UnknownCoding(coding);
  }
}

/** "deflate" means the zlib format (RFC 9110 §8.4.1.2); some servers send it without its header. */
async function inflated(stream: Readable): Promise<Readable> {
  const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const start = await iterator.next();
  if (start.done) return Readable.from([]);
  const whole = Readable.from(putBack(start.value, iterator));
  const zlibHeader = ((start.value[0] ?? 0) & 0x0f) === 8;
  return through(whole, zlibHeader ? createInflate() : createInflateRaw());
}

async function* putBack(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  yield* { [Symbol.asyncIterator]: () => rest };
}

/** The reader of the last stream gets every error before it. */
function through(stream: Readable, decoder: Transform): Readable {
  return pipeline(stream, decoder, () => {});
}
