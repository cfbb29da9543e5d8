import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Refusal } from "./errors.ts";

/**
 * The text of a file in the data folder, or null when there is none.
 * @throws Refusal when this user cannot read there
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
 * The error to throw for a file system error in DATA_DIR. Volumes and bind mounts of containers often belong to root,
 * while the server runs as another user.
 */
export function dataFolderFault(
  dir: string,
  needed: "readable" | "writable",
  error: unknown,
  uid = process.getuid?.(),
): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Some file systems have no hard links; another owner would not change that.
  if (syscall === "link") return error;
  if (code === "EROFS") {
    return new Refusal(503, "data_dir_read_only", { folder: dir });
  }
  if (code !== "EACCES" && code !== "EPERM") return error;
  const details = { folder: dir, uid: String(uid ?? "$(id -u)") };
  return new Refusal(503, needed === "readable" ? "data_dir_not_readable" : "data_dir_not_writable", details);
}

/**
 * Writes a text file in the data folder that only this user can read (mode 0600). The write is atomic.
 * @throws Refusal when this user cannot write there
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
