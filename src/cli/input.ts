import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** A file, or standard input for the name `-`. The size is null if it is unknown. */
export interface Input {
  name: string;
  size: number | null;
  stream: Readable;
}

/** @throws UsageError if the file cannot be read */
export function openInput(path: string, terminal: Terminal): Input {
  if (path === "-") return { name: "standard input", size: null, stream: terminal.input };
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw new UsageError(`${path} is a folder. Specify a file, or - for standard input.`);
    return { name: basename(path), size: stat.size, stream: createReadStream(path) };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `${path} cannot be read (${code ?? "unknown reason"}). Specify a file, or - for standard input.`,
    );
  }
}

/** Passes a stream through and reports the bytes so far. */
export async function* counted(
  input: AsyncIterable<Uint8Array>,
  report: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    report(bytes);
    yield chunk;
  }
}

/** Bytes of white space allowed before a list. */
const longestBlank = 1_000_000;

/** Finds the first character of a stream that is not white space, and returns the whole stream. */
export async function peek(
  input: AsyncIterable<Uint8Array>,
): Promise<{ first: string; whole: AsyncGenerator<Uint8Array> }> {
  const iterator = input[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let first = "";
  let bytes = 0;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    held.push(next.value);
    first = new TextDecoder()
      .decode(next.value)
      .replace(/^\ufeff/, "")
      .trimStart();
    bytes += next.value.length;
    if (first !== "" || bytes > longestBlank) break;
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield* held;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { first: first.slice(0, 1), whole: whole() };
}
