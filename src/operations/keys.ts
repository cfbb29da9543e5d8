import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { readIfThere, writePrivate } from "../base/private-file.ts";
import type { Db } from "../db/schema.ts";
import { hashOf } from "../operators/secrets.ts";
import { writeAudit } from "../audit/audit.ts";

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
  deps.log.warn({}, "DAYLETTER_TOKEN was revoked or replaced earlier and is not accepted, set a new token");
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
