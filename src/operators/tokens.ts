import type { Clock } from "../base/clock.ts";
import { echo, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { nameKey, parseName } from "./names.ts";
import type { Actor, Role } from "./roles.ts";
import { hashOf, newToken } from "./secrets.ts";

const dayMs = 24 * 3_600_000;
const noteEveryMs = 60_000;

interface Deps {
  db: Db;
  clock: Clock;
}

/** A token's metadata, without the token itself. */
export interface TokenLine {
  id: number;
  name: string;
  role: Role;
  createdAt: Date;
  expiresAt: Date | null;
  usedAt: Date | null;
  /** The operator who created it. Disabling that operator revokes it. */
  madeBy: number | null;
}

/** The actor of a token, or null if it is unknown, revoked or expired. Records the use. */
export async function findToken(db: Db, token: string, now: Date): Promise<Actor | null> {
  const row = await db
    .selectFrom("tokens")
    .select(["id", "name", "role", "used_at", "operator_id"])
    .where("hash", "=", hashOf(token))
    .where("revoked_at", "is", null)
    .where((or) => or.or([or("expires_at", "is", null), or("expires_at", ">", now)]))
    .executeTakeFirst();
  if (!row) return null;
  if (row.used_at === null || now.getTime() - row.used_at.getTime() > noteEveryMs) {
    await db.updateTable("tokens").set({ used_at: now }).where("id", "=", row.id).execute();
  }
  return { id: row.operator_id, name: row.name, role: row.role };
}

/** Valid tokens, oldest first. */
export async function listTokens(db: Db | Tx, now: Date): Promise<TokenLine[]> {
  return good(db, now).orderBy("id").execute();
}

/**
 * Creates a token for a program.
 * @param request `days` until it expires; null for never
 * @returns also the token, which cannot be read again
 * @throws Refusal 409 if the name is in use
 */
export async function addToken(
  { db, clock }: Deps,
  request: { name: string; role: Role; days: number | null; actor: Pick<Actor, "id" | "name"> },
): Promise<TokenLine & { token: string }> {
  const now = clock.now();
  const { role, days, actor } = request;
  const name = parseName(request.name);
  const { token, hash } = newToken();
  const expires_at = days === null ? null : new Date(now.getTime() + days * dayMs);
  return db.transaction().execute(async (tx) => {
    await refuseTakenName(tx, name, now);
    const { id } = await tx
      .insertInto("tokens")
      .values({ name, role, hash, created_at: now, expires_at, operator_id: actor.id })
      .returning("id")
      .executeTakeFirstOrThrow();
    await writeAudit(tx, { at: now, actor: actor.name, action: "token add", subject: name, detail: { role, days } });
    return { id, name, role, createdAt: now, expiresAt: expires_at, usedAt: null, madeBy: actor.id, token };
  });
}

/**
 * Revokes a token. Its row stays, so that no start can add it again.
 * @param which its id or its name
 * @throws Refusal 404
 */
export async function revokeToken({ db, clock }: Deps, which: string, actor: string): Promise<TokenLine> {
  const now = clock.now();
  const tokens = await listTokens(db, now);
  const found =
    tokens.find(({ id }) => String(id) === which) ?? tokens.find(({ name }) => nameKey(name) === nameKey(which));
  if (!found) throw new Refusal(404, "token_not_found", { name: echo(which) });
  await db.transaction().execute(async (tx) => {
    await tx.updateTable("tokens").set({ revoked_at: now }).where("id", "=", found.id).execute();
    await writeAudit(tx, { at: now, actor, action: "token revoke", subject: found.name });
  });
  return found;
}

/** Revokes all tokens created by an operator, in the caller's transaction. @returns their names */
export async function revokeTokensOf(
  tx: Tx,
  operator: { id: number; name: string },
  actor: string,
  now: Date,
): Promise<string[]> {
  const valid = good(tx, now).where("operator_id", "=", operator.id).orderBy("id");
  const tokens = await valid.execute();
  // Also the expired ones, so that nothing can reactivate them.
  await tx
    .updateTable("tokens")
    .set({ revoked_at: now })
    .where("operator_id", "=", operator.id)
    .where("revoked_at", "is", null)
    .execute();
  for (const { name } of tokens) {
    const detail = { because: "operator_disabled", operator: operator.name };
    await writeAudit(tx, { at: now, actor, action: "token revoke", subject: name, detail });
  }
  return tokens.map(({ name }) => name);
}

/** Names must be unique, because the audit log identifies operators and tokens by name. @throws Refusal 409 */
export async function refuseTakenName(tx: Db | Tx, name: string, now: Date): Promise<void> {
  const key = nameKey(name);
  const operator = await tx.selectFrom("operators").select("id").where("name_key", "=", key).executeTakeFirst();
  const tokens = await good(tx, now).execute();
  if (!operator && !own.has(key) && !tokens.some((token) => nameKey(token.name) === key)) return;
  throw new Refusal(409, "name_taken", { name });
}

/** Reserved names that the audit log uses for the program, its readers and its own tokens. */
const own = new Set(["dayletter", "reader", "setting", "first"]);

function good(db: Db | Tx, now: Date) {
  return db
    .selectFrom("tokens")
    .select(["id", "name", "role", "created_at as createdAt", "expires_at as expiresAt", "used_at as usedAt"])
    .select("operator_id as madeBy")
    .where("revoked_at", "is", null)
    .where((or) => or.or([or("expires_at", "is", null), or("expires_at", ">", now)]));
}
