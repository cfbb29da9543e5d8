import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readIfThere, writePrivate } from "../base/private-file.ts";
import type { Db } from "../db/schema.ts";
import { hashOf } from "../operators/secrets.ts";

/** What the command line looks for in the data folder of a server on the same machine. */
export const tokenFile = (dataDir: string): string => join(dataDir, "token");
export const addressFile = (dataDir: string): string => join(dataDir, "server");

/** The key of all links: the setting's, or one made at first start and kept in the data folder. */
export function ensureSecret(config: { secret: string | null; dataDir: string }): string {
  if (config.secret !== null) return config.secret;
  const path = join(config.dataDir, "secret");
  const present = readIfThere(path);
  if (present) return present;
  const made = randomBytes(32).toString("hex");
  writePrivate(path, made);
  return made;
}

/**
 * Sees to it that somebody can use the API: the token of the setting is accepted, or else, at the first start, one is
 * made and kept in the data folder.
 */
export async function ensureToken(
  db: Db,
  config: { bootstrapToken: string | null; dataDir: string },
  now: Date,
): Promise<void> {
  if (config.bootstrapToken !== null) return addToken(db, "setting", config.bootstrapToken, now);
  const kept = readIfThere(tokenFile(config.dataDir));
  if (kept) return addToken(db, "first", kept, now);
  const any = await db.selectFrom("tokens").select("id").limit(1).executeTakeFirst();
  if (any) return;
  const made = randomBytes(32).toString("base64url");
  writePrivate(tokenFile(config.dataDir), made);
  await addToken(db, "first", made, now);
}

/** As an owner's, for without one nobody could make another. One that was revoked stays so. */
async function addToken(db: Db, name: string, token: string, now: Date): Promise<void> {
  await db
    .insertInto("tokens")
    .values({ name, hash: hashOf(token), role: "owner", created_at: now })
    .onConflict((conflict) => conflict.column("hash").doNothing())
    .execute();
}
