import { open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";

/** Where a server without a relay puts its mails. */
export function outboxFolder(dataDir: string): string {
  return join(dataDir, "outbox");
}

/** The mails' file names; none where no mail was ever kept. */
export async function outboxFiles(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).filter(isMailFile);
}

/** A plain name, so that no path leads out of the folder. */
export function isMailFile(name: string): boolean {
  return /^[\w@+-][\w.@+-]{0,250}\.eml$/.test(name);
}

/** Room for the header of our own mails, many times over. */
const headBytes = 16_384;

/** A mail's header, the blank line after it included. */
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
  /** In small letters. */
  address: string;
  /** What stands before the `@` of their Message-IDs: a sender's domain may have been another when they were made. */
  ids: ReadonlySet<string>;
}

/** Removes the mails that went to an address, or have one of these ids. */
export async function removeMails(folder: string, own: OwnMails): Promise<void> {
  for (const name of await outboxFiles(folder)) {
    const path = join(folder, name);
    if (own.ids.has(name.slice(0, name.indexOf("@"))) || (await recipientOf(path)) === own.address) await unlink(path);
  }
}

/** In small letters; null for a file that is not there any more. */
async function recipientOf(path: string): Promise<string | null> {
  const head = await readHead(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  const to = head === null ? null : /^to:(.*)$/im.exec(head.toString("utf8"));
  return to?.[1]?.trim().toLowerCase() ?? null;
}
