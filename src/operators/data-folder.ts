import { chmod, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { randomBytes } from "node:crypto";
import type { Log } from "../base/log.ts";
import { isMailFile, outboxFolder } from "../mail/outbox-folder.ts";
import type { Clock } from "../base/clock.ts";
import { readIfThere, writePrivate } from "../base/private-file.ts";
import type { Db } from "../db/schema.ts";
import { hashOf } from "./secrets.ts";
import { writeAudit } from "../audit/audit.ts";

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

/** Files in the data folder that the command line reads to find a server on the same machine. */
export const tokenFile = (dataDir: string): string => join(dataDir, "token");
export const addressFile = (dataDir: string): string => join(dataDir, "server");

/** The key that signs all links: the setting, or one that the first start generates in the data folder. */
export function ensureSecret(config: { secret: string | null; dataDir: string }): string {
  if (config.secret !== null) return config.secret;
  const path = join(config.dataDir, "secret");
  const present = readIfThere(path);
  if (present) return present;
  const made = randomBytes(32).toString("hex");
  writePrivate(path, made);
  return made;
}

interface TokenDeps {
  db: Db;
  clock: Clock;
  log: Log;
}

/**
 * Makes sure that there is a token for the API. The token in the setting is accepted, and its former values are revoked.
 * Without the setting, the first start creates a token in the data folder.
 */
export async function ensureToken(
  deps: TokenDeps,
  { bootstrapToken, dataDir }: { bootstrapToken: string | null; dataDir: string },
): Promise<void> {
  if (bootstrapToken !== null) return acceptSetting(deps, bootstrapToken);
  await endSettings(deps, null, "setting_removed");
  const kept = readIfThere(tokenFile(dataDir));
  if (kept) return void (await addToken(deps, "first", kept));
  const others = deps.db.selectFrom("tokens").select("id").where("name", "<>", "setting").limit(1);
  if (await others.executeTakeFirst()) return;
  const made = randomBytes(32).toString("base64url");
  writePrivate(tokenFile(dataDir), made);
  await addToken(deps, "first", made);
}

/** A process started with an old token must not revoke the newer one. */
async function acceptSetting(deps: TokenDeps, token: string): Promise<void> {
  if (await addToken(deps, "setting", token)) return endSettings(deps, token, "setting_changed");
  deps.log.warn({}, "DAYLETTER_TOKEN was revoked or replaced earlier and is not accepted. Set a new token");
}

/** Revokes the tokens that the setting held before, except `now`. Of two concurrent starts, one writes the audit entry. */
async function endSettings(
  { db, clock }: TokenDeps,
  now: string | null,
  because: "setting_removed" | "setting_changed",
): Promise<void> {
  const at = clock.now();
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("tokens")
      .set({ revoked_at: at })
      .where("name", "=", "setting")
      .where("revoked_at", "is", null)
      .$if(now !== null, (query) => query.where("hash", "<>", hashOf(now!)))
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    const entry = { at, actor: "dayletter", action: "token revoke", subject: "setting" } as const;
    await writeAudit(tx, { ...entry, detail: { because } });
  });
}

/**
 * Adds an owner token, because only owners can create more tokens. A revoked token stays revoked.
 * @returns whether the token is valid
 */
async function addToken({ db, clock }: TokenDeps, name: string, token: string): Promise<boolean> {
  const hash = hashOf(token);
  await db
    .insertInto("tokens")
    .values({ name, hash, role: "owner", created_at: clock.now() })
    .onConflict((conflict) => conflict.column("hash").doNothing())
    .execute();
  const row = await db.selectFrom("tokens").select("revoked_at").where("hash", "=", hash).executeTakeFirstOrThrow();
  return row.revoked_at === null;
}
