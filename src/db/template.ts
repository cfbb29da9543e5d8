import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzipSync } from "node:zlib";
import { packageRoot } from "../package-root.ts";

/**
 * A data folder with every table, made at build time, so that a first start runs no `initdb` (2.5 s, 800 MB). One file,
 * because npm leaves empty folders out of a package and PostgreSQL does not start without its own.
 */
export const templateFile: string = join(packageRoot, "dist/embedded.template");

/** The header before the contents. Files with the same content share one entry. */
interface Head {
  /** Paths below the folder, parents first. */
  folders: string[];
  files: { path: string; content: number }[];
  /** The size of each content, and the size without zeros at its end. */
  contents: { size: number; kept: number }[];
}

const headLengthBytes = 4;

/** A folder's files and folders as one compressed buffer. Owners, modes and times are not kept. */
export function packFolder(folder: string): Buffer {
  const head: Head = { folders: [], files: [], contents: [] };
  const numbers = new Map<string, number>();
  const kept: Buffer[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isDirectory()) {
      head.folders.push(path);
      continue;
    }
    const content = readFileSync(join(folder, path));
    const hash = createHash("sha256").update(content).digest("hex");
    const number = numbers.get(hash) ?? kept.length;
    if (!numbers.has(hash)) {
      numbers.set(hash, number);
      const end = content.findLastIndex((byte) => byte !== 0) + 1;
      head.contents.push({ size: content.length, kept: end });
      kept.push(content.subarray(0, end));
    }
    head.files.push({ path, content: number });
  }
  head.folders.sort();
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(headLengthBytes);
  length.writeUInt32LE(json.length);
  return gzipSync(Buffer.concat([length, json, ...kept]), { level: 9 });
}

/** Unpacks the result of `packFolder` into an existing empty folder. Throws if it is damaged. */
export async function unpackFolder(packed: Buffer, folder: string): Promise<void> {
  const bytes = await promisify(gunzip)(packed);
  let at = headLengthBytes + bytes.readUInt32LE(0);
  const head = JSON.parse(bytes.toString("utf8", headLengthBytes, at)) as Head;
  const contents = head.contents.map(({ size, kept }) => ({ size, bytes: bytes.subarray(at, (at += kept)) }));
  for (const path of head.folders) mkdirSync(join(folder, path), { mode: 0o700 });
  for (const { path, content } of head.files) writeSparse(join(folder, path), contents[content]!);
}

/** Zeros at the end, such as 16 MB of unused write-ahead log, use no disk space and no time. */
function writeSparse(path: string, content: { size: number; bytes: Buffer }): void {
  const file = openSync(path, "wx", 0o600);
  try {
    for (let at = 0; at < content.bytes.length;) at += writeSync(file, content.bytes, at);
    ftruncateSync(file, content.size);
  } finally {
    closeSync(file);
  }
}
