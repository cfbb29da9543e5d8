import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Refusal } from "./errors.ts";

/**
 * The text of a file in the data folder, or null when there is none.
 * @throws Refusal when this user may not read there
 */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw dataFolderFault(dirname(path), "readable", error);
  }
}

/**
 * What to throw instead of an error of the file system in DATA_DIR. Volumes and bind mounts of containers often belong to
 * root, while the server runs as another user.
 */
export function dataFolderFault(
  dir: string,
  needed: "readable" | "writable",
  error: unknown,
  uid = process.getuid?.(),
): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Some file systems have no hard links, which is nothing an owner could change.
  if (syscall === "link") return error;
  if (code === "EROFS") {
    return new Refusal(
      503,
      `DATA_DIR ${dir} is on a read-only file system: mount a writable volume there, or set DATA_DIR to another folder.`,
    );
  }
  if (code !== "EACCES" && code !== "EPERM") return error;
  const owner = uid ?? "this user";
  return new Refusal(
    503,
    `DATA_DIR ${dir} is not ${needed} by uid ${owner}. Run \`chown -R ${owner}\` on that folder (with containers: on the ` +
      "folder of the host that is mounted there), or set DATA_DIR to another folder.",
  );
}

/**
 * Writes a text file in the data folder that only this user may read (mode 0600), whole or not at all.
 * @throws Refusal when this user may not write there
 */
export function writePrivate(path: string, text: string): void {
  writePrivateBytes(path, Buffer.from(`${text}\n`));
}

/** The same for any bytes. */
export function writePrivateBytes(path: string, content: Buffer): void {
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(draft, content, { mode: 0o600 });
    renameSync(draft, path);
  } catch (error) {
    throw dataFolderFault(dirname(path), "writable", error);
  }
}
