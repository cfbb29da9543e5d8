import type { Clock } from "../base/clock.ts";
import { echo, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit, type AuditAction } from "../audit/audit.ts";
import { dropCodes } from "./codes.ts";
import { newLink } from "./links.ts";
import { nameKey, parseName } from "./names.ts";
import type { Role } from "./roles.ts";
import { endSessions } from "./sessions.ts";
import { listTokens, refuseTakenName, revokeTokensOf } from "./tokens.ts";

interface Deps {
  db: Db;
  clock: Clock;
}

export interface OperatorLine {
  id: number;
  name: string;
  role: Role;
  /** `invited` until the setup link is used. */
  state: "invited" | "active" | "disabled";
  oneTimeCodes: boolean;
  /** Valid tokens created by the operator. Disabling the operator revokes them. */
  tokens: string[];
  createdAt: Date;
  signedInAt: Date | null;
}

/** All operators, oldest first. */
export async function listOperators(db: Db | Tx, now: Date): Promise<OperatorLine[]> {
  const rows = await db.selectFrom("operators").selectAll().orderBy("id").execute();
  const tokens = await listTokens(db, now);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    role: row.role,
    state: row.disabled_at !== null ? "disabled" : row.password === null ? "invited" : "active",
    oneTimeCodes: row.totp_salt !== null,
    tokens: tokens.filter(({ madeBy }) => madeBy === row.id).map(({ name }) => name),
    createdAt: row.created_at,
    signedInAt: row.signed_in_at,
  }));
}

/**
 * Adds an operator, who sets a password with a setup link.
 * @returns also the link's token
 * @throws Refusal 409 if the name is in use, 422 if it is invalid
 */
export async function addOperator(
  { db, clock }: Deps,
  request: { name: string; role: Role; actor: string },
): Promise<OperatorLine & { token: string }> {
  const { role, actor } = request;
  const name = parseName(request.name);
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    await refuseTakenName(tx, name, now);
    const { id } = await tx
      .insertInto("operators")
      .values({ name, name_key: nameKey(name), role, created_at: now })
      .returning("id")
      .executeTakeFirstOrThrow();
    const token = await newLink(tx, id, now);
    await writeAudit(tx, { at: now, actor, action: "operator add", subject: name, detail: { role } });
    return { ...(await findIn(tx, String(id), now)), token };
  });
}

/**
 * Creates a setup link for an operator who has lost their password or phone. Nothing changes until it is used.
 * @param which an id or a name
 */
export async function linkOperator(
  { db, clock }: Deps,
  which: string,
  actor: string,
): Promise<OperatorLine & { token: string }> {
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    const operator = await findIn(tx, which, now);
    if (operator.state === "disabled") throw new Refusal(409, "operator_disabled", { name: operator.name });
    const token = await newLink(tx, operator.id, now);
    await writeAudit(tx, { at: now, actor, action: "operator link", subject: operator.name });
    return { ...operator, token };
  });
}

/**
 * Disables an operator, ends all of their sessions and permanently revokes the tokens they created.
 * @returns also the names of those tokens
 * @throws Refusal 404, or 409 for the last owner
 */
export async function disableOperator(
  deps: Deps,
  which: string,
  actor: string,
): Promise<OperatorLine & { revokedTokens: string[] }> {
  let revokedTokens: string[] = [];
  const operator = await change(deps, which, actor, "operator disable", async (tx, { id, name }, now) => {
    await tx.updateTable("operators").set({ disabled_at: now }).where("id", "=", id).execute();
    await tx.deleteFrom("operator_links").where("operator_id", "=", id).execute();
    await endSessions(tx, id);
    revokedTokens = await revokeTokensOf(tx, { id, name }, actor, now);
  });
  return { ...operator, revokedTokens };
}

/**
 * Turns off one-time codes for an operator who has lost their authenticator and recovery codes, and ends all sessions.
 * The password stays the same.
 * @throws Refusal 404
 */
export function resetCodes(deps: Deps, which: string, actor: string): Promise<OperatorLine> {
  return change(deps, which, actor, "operator codes reset", async (tx, { id, oneTimeCodes }) => {
    if (!oneTimeCodes) return;
    await dropCodes(tx, id);
    await endSessions(tx, id);
  });
}

/** Lets a disabled operator sign in again. Revoked tokens stay revoked. @throws Refusal 404 */
export function enableOperator(deps: Deps, which: string, actor: string): Promise<OperatorLine> {
  return change(deps, which, actor, "operator enable", async (tx, { id }) => {
    await tx.updateTable("operators").set({ disabled_at: null }).where("id", "=", id).execute();
  });
}

/** Changes an operator's role. Open sessions have the new role from their next request on. */
export function setRole(deps: Deps, which: string, role: Role, actor: string): Promise<OperatorLine> {
  return change(deps, which, actor, `operator role ${role}`, async (tx, { id }) => {
    await tx.updateTable("operators").set({ role }).where("id", "=", id).execute();
  });
}

async function change(
  { db, clock }: Deps,
  which: string,
  actor: string,
  action: AuditAction,
  work: (tx: Tx, operator: OperatorLine, now: Date) => Promise<void>,
): Promise<OperatorLine> {
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    // If two owners disable each other at once, the second waits here and then finds that it would be the last owner.
    await tx.selectFrom("operators").select("id").where("role", "=", "owner").orderBy("id").forUpdate().execute();
    const before = await findIn(tx, which, now);
    await work(tx, before, now);
    const after = await findIn(tx, String(before.id), now);
    const isOwner = ({ role, state }: OperatorLine): boolean => role === "owner" && state === "active";
    if (isOwner(before) && !isOwner(after) && !(await listOperators(tx, now)).some(isOwner)) {
      throw new Refusal(409, "last_owner", { name: before.name });
    }
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      await writeAudit(tx, { at: now, actor, action, subject: before.name });
    }
    return after;
  });
}

async function findIn(tx: Tx, which: string, now: Date): Promise<OperatorLine> {
  const all = await listOperators(tx, now);
  const found = all.find(({ id }) => String(id) === which) ?? all.find(({ name }) => nameKey(name) === nameKey(which));
  if (found) return found;
  throw new Refusal(404, "operator_not_found", { name: echo(which) });
}
