import { chmod, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Log } from "../base/log.ts";
import { isMailFile, outboxFolder } from "../mail/outbox-folder.ts";

/** Dayletter's own entries in the data folder. `lost+found` exists at the root of a volume. */
const ours =
  /^(db|db\.unfinished|outbox|secret|token|server|setup|lost\+found|lock\.json|settings\.env|settings\.env\.refused|logo\.[0-9a-f]{12}\.[a-z]+)(\.\d+)?$/;
const rights = 0o7777;
const groupAndOthers = 0o077;
const writeByOthers = 0o022;
const sticky = 0o1000;
/** Emails whose permissions are changed concurrently. */
const atOnce = 50;

/**
 * Removes other users' access to the data folder and its contents (0700, and 0600 for files), even if an earlier release
 * or another program created it. A folder with files of other programs keeps its permissions, as `/tmp` must. A failure is
 * logged once and does not prevent the start, because on some file systems only the administrator can set permissions.
 * @param own file names that the settings put into the folder, such as a logo
 */
export async function keepPrivate(dataDir: string, log: Log, own: readonly string[] = []): Promise<void> {
  // Windows has a different permission model, in which files inherit from their folder.
  if (process.platform === "win32") return;
  const names = await readdir(dataDir).catch(() => []);
  const [mine, others] = [names.filter(isMine), names.filter((name) => !isMine(name))];
  const open: string[] = [];
  const tighten = async (path: string): Promise<boolean> => {
    const wide = await takeAway(path);
    if (wide === "stays open") open.push(path);
    return wide !== "was private";
  };
  await keepFolder(tighten);
  for (const name of mine) {
    if (name === "lost+found") continue;
    const wasOpen = await tighten(join(dataDir, name));
    // A private folder protects the emails in it, so they are checked only if the folder was open.
    if (name === basename(outboxFolder(dataDir)) && wasOpen) await keepMails(join(dataDir, name), tighten);
  }
  if (open.length > 0) {
    const uid = process.getuid?.();
    log.warn(
      { paths: open.slice(0, 5), count: open.length },
      `other users of this machine can read files in DATA_DIR, and user ${uid} cannot change the permissions. Make user ${uid} the owner of ${dataDir} and everything in it, or restrict access to a parent folder`,
    );
  }

  function isMine(name: string): boolean {
    return ours.test(name) || own.includes(name);
  }

  async function keepFolder(change: (path: string) => Promise<boolean>): Promise<void> {
    const found = await stat(dataDir).catch(() => null);
    if (found === null || !isOpen(found)) return;
    const mode = found.mode & rights;
    if (others.length === 0 && (mode & sticky) === 0) return void (await change(dataDir));
    if ((mode & writeByOthers) === 0 || (mode & sticky) !== 0) return;
    log.warn(
      { dataDir, mode: mode.toString(8), others: others.slice(0, 5) },
      `other users of this machine can write to DATA_DIR, which also contains files of other programs. Give Dayletter its own folder`,
    );
  }
}

async function keepMails(folder: string, tighten: (path: string) => Promise<boolean>): Promise<void> {
  const mails = (await readdir(folder)).filter(isMailFile);
  for (let i = 0; i < mails.length; i += atOnce)
    await Promise.all(mails.slice(i, i + atOnce).map((name) => tighten(join(folder, name))));
}

/** Reads the permissions back, because some file systems accept a change and ignore it. */
async function takeAway(path: string): Promise<"was private" | "is private" | "stays open"> {
  const before = await stat(path).catch(() => null);
  if (before === null || !isOpen(before)) return "was private";
  await chmod(path, before.mode & (before.isDirectory() ? 0o700 : 0o600)).catch(() => undefined);
  const after = await stat(path).catch(() => null);
  return after !== null && isOpen(after) ? "stays open" : "is private";
}

function isOpen({ mode }: { mode: number }): boolean {
  return (mode & groupAndOthers) !== 0;
}
