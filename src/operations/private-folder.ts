import { chmod, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Log } from "../base/log.ts";
import { isMailFile, outboxFolder } from "../mail/outbox-folder.ts";

/** What Dayletter itself puts into its data folder; `lost+found` is there where a volume begins. */
const ours =
  /^(db|db\.unfinished|outbox|secret|token|server|setup|lost\+found|lock\.json|settings\.env|settings\.env\.refused|logo\.[0-9a-f]{12}\.[a-z]+)(\.\d+)?$/;
const rights = 0o7777;
const groupAndOthers = 0o077;
const writeByOthers = 0o022;
const sticky = 0o1000;
/** Mails whose rights are changed at the same time. */
const atOnce = 50;

/**
 * Takes the rights of other users to the data folder and what is in it away (0700, and 0600 for files), also where the folder
 * was made by somebody else or by an earlier release. A folder that holds files of others keeps its rights, as `/tmp` must.
 * What cannot be changed is logged once and keeps nobody from starting: on a shared or foreign file system the rights may be
 * somebody else's to set.
 * @param own file names that the settings put into the folder, such as a logo
 */
export async function keepPrivate(dataDir: string, log: Log, own: readonly string[] = []): Promise<void> {
  // Windows has other rights, which a folder hands down.
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
    // With its folder private, mails are out of reach: they are looked at only when it was not.
    if (name === basename(outboxFolder(dataDir)) && wasOpen) await keepMails(join(dataDir, name), tighten);
  }
  if (open.length > 0) {
    const uid = process.getuid?.();
    log.warn(
      { paths: open.slice(0, 5), count: open.length },
      `Other users of this machine may read files in DATA_DIR, and user ${uid} may not change that: make ${dataDir} and all in it belong to user ${uid}, or keep others out of a folder above it`,
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
      `Other users of this machine may write to DATA_DIR, which also holds files that are not Dayletter's: give Dayletter a folder of its own`,
    );
  }
}

async function keepMails(folder: string, tighten: (path: string) => Promise<boolean>): Promise<void> {
  const mails = (await readdir(folder)).filter(isMailFile);
  for (let i = 0; i < mails.length; i += atOnce)
    await Promise.all(mails.slice(i, i + atOnce).map((name) => tighten(join(folder, name))));
}

/** Looks at the rights again afterwards, for some file systems take a change and ignore it. */
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
