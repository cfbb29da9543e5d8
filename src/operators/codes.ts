import { createHmac, randomInt } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit, type AuditAction } from "../audit/audit.ts";
import { demandPassword, findCode, hashCodes } from "./password.ts";
import { endSessions, openSession, type Session } from "./sessions.ts";

interface Deps {
  db: Db;
  clock: Clock;
  options: { secret: string; publicationName: string };
}

const setSize = 10;
/** Digits only, so that one numeric field takes both kinds of codes. Hashed slowly because they have less than 112 bits (ASVS 5.0, 6.5.2). */
const recoveryDigits = 12;

/** An operator's one-time code settings. */
interface CodesState {
  on: boolean;
  /** Number of unused recovery codes. */
  left: number;
  /** Uses that the operator has not seen yet, newest first. */
  uses: { at: Date; from: string }[];
}

/** Reads an operator's one-time code settings. */
export async function codesState(db: Db, { operator }: Session): Promise<CodesState> {
  const [{ totp_salt }, rows] = await Promise.all([ownRow(db, operator.id), recoveryRows(db, operator.id)]);
  const uses = rows
    .filter((row) => row.used_at !== null && row.seen_at === null)
    .map(({ used_at, used_from }) => ({ at: used_at!, from: used_from ?? "" }))
    .toSorted((a, b) => b.at.getTime() - a.at.getTime());
  return { on: totp_salt !== null, left: rows.filter(({ used_at }) => used_at === null).length, uses };
}

/**
 * The key for an authenticator app. It is derived from the session, so showing it stores nothing. `turnCodesOn` stores it.
 */
export function offerCodes({ options }: Deps, session: Session): Promise<{ key: string; uri: string }> {
  const key = totpKey(options.secret, session.operator.id, saltOf(options.secret, session));
  return totpSetup(key, { publication: options.publicationName, operator: session.operator.name });
}

/**
 * Turns on one-time codes with the first code for the key from `offerCodes`.
 * @returns recovery codes, which cannot be read again
 * @throws Refusal 409 when they are on, 422 for a wrong password or code
 */
export async function turnCodesOn(
  deps: Deps,
  session: Session,
  typed: { password: string; code: string },
): Promise<string[]> {
  const { db, clock, options } = deps;
  const { id } = session.operator;
  const row = await ownRow(db, id);
  await demandPassword(row, typed.password);
  const now = clock.now();
  const salt = saltOf(options.secret, session);
  const match = await matchCode(totpKey(options.secret, id, salt), typed.code, now, null);
  if (match.kind !== "code") {
    throw new Refusal(422, "one_time_code_wrong");
  }
  const codes = newCodes();
  const hashes = await hashCodes(codes);
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("operators")
      .set({ totp_salt: salt, totp_step: match.step })
      .where("id", "=", id)
      .where("totp_salt", "is", null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Refusal(409, "one_time_codes_already_on");
    await keepCodes(tx, id, hashes, now);
    await note(tx, session, "operator codes on", now);
  });
  return codes;
}

/**
 * Turns off one-time codes and ends all sessions, including this one. The new session offers a different key.
 * @returns the token of the new session
 * @throws Refusal 409 when they are off, 422 for a wrong password or code
 */
export async function turnCodesOff(
  deps: Deps,
  session: Session,
  typed: { password: string; code: string; from: string; agent: string },
): Promise<string> {
  const { db, clock } = deps;
  const now = clock.now();
  const row = await ownRow(db, session.operator.id);
  await demandPassword(row, typed.password);
  if (row.totp_salt === null) throw new Refusal(409, "one_time_codes_already_off");
  const factor = await readSecondFactor(deps, row, typed.code, now);
  return db.transaction().execute(async (tx) => {
    if (!(await useSecondFactor(tx, row, factor, { at: now, from: typed.from })))
      throw secondFactorRefusal(422, factor);
    await dropCodes(tx, row.id);
    await note(tx, session, "operator codes off", now);
    await endSessions(tx, row.id);
    return openSession(tx, { operatorId: row.id, from: typed.from, agent: typed.agent }, now);
  });
}

/**
 * Replaces all recovery codes with new ones.
 * @returns the codes, which cannot be read again
 * @throws Refusal 422 for a wrong password, 409 when one-time codes are off
 */
export async function renewRecoveryCodes(deps: Deps, session: Session, password: string): Promise<string[]> {
  const { db, clock } = deps;
  const row = await ownRow(db, session.operator.id);
  await demandPassword(row, password);
  const codes = newCodes();
  const hashes = await hashCodes(codes);
  await db.transaction().execute(async (tx) => {
    const found = tx.selectFrom("operators").select("id").where("id", "=", row.id).where("totp_salt", "is not", null);
    if (!(await found.forUpdate().executeTakeFirst())) throw new Refusal(409, "one_time_codes_off");
    await keepCodes(tx, row.id, hashes, clock.now());
    await note(tx, session, "operator recovery codes", clock.now());
  });
  return codes;
}

/** Marks the recovery code uses so far as seen by the operator. */
export async function noteUsesSeen({ db, clock }: Pick<Deps, "db" | "clock">, { operator }: Session): Promise<void> {
  await db
    .updateTable("operator_recovery_codes")
    .set({ seen_at: clock.now() })
    .where("operator_id", "=", operator.id)
    .where("used_at", "is not", null)
    .where("seen_at", "is", null)
    .execute();
}

/** Deletes an operator's authenticator key and recovery codes. */
export async function dropCodes(tx: Tx, operatorId: number): Promise<void> {
  await tx.updateTable("operators").set({ totp_salt: null, totp_step: null }).where("id", "=", operatorId).execute();
  await tx.deleteFrom("operator_recovery_codes").where("operator_id", "=", operatorId).execute();
}

interface CodesRow {
  id: number;
  totp_salt: Buffer | null;
  totp_step: number | null;
}

/** What was entered besides the password. `spent` is a correct code that was already used. */
type SecondFactor =
  | { kind: "none" }
  | { kind: "code"; step: number }
  | { kind: "recovery"; id: number }
  | { kind: "spent"; what: "code" | "recovery code" }
  | { kind: "wrong" };

/**
 * Reads a one-time code or recovery code. The work depends on the input, never on whether the operator exists.
 * @param row null for an operator who does not exist
 */
export async function readSecondFactor(
  { db, options }: { db: Db; options: { secret: string } },
  row: CodesRow | null,
  typed: string,
  now: Date,
): Promise<SecondFactor> {
  const digits = typed.replace(/[\s-]/g, "");
  const isRecovery = digits.length === recoveryDigits;
  const rows = isRecovery ? await recoveryRows(db, row?.id ?? 0) : [];
  const found = isRecovery
    ? await findCode(
        digits,
        rows.map(({ hash }) => hash),
      )
    : -1;
  if (!row?.totp_salt) return { kind: "none" };
  const recovery = rows[found];
  if (recovery) return recovery.used_at === null ? { kind: "recovery", id: recovery.id } : spent("recovery code");
  const match = await matchCode(totpKey(options.secret, row.id, row.totp_salt), digits, now, row.totp_step);
  return match.kind === "used" ? spent("code") : match;
}

/**
 * Uses the factor that `readSecondFactor` found. The row decides, so of two attempts with one code, one fails.
 * @returns false if the factor is wrong or already used
 */
export async function useSecondFactor(
  tx: Tx,
  { id }: CodesRow,
  factor: SecondFactor,
  use: { at: Date; from: string },
): Promise<boolean> {
  if (factor.kind === "none") return true;
  if (factor.kind === "code") {
    const { numUpdatedRows } = await tx
      .updateTable("operators")
      .set({ totp_step: factor.step })
      .where("id", "=", id)
      .where((or) => or.or([or("totp_step", "is", null), or("totp_step", "<", factor.step)]))
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }
  if (factor.kind !== "recovery") return false;
  const { numUpdatedRows } = await tx
    .updateTable("operator_recovery_codes")
    .set({ used_at: use.at, used_from: use.from })
    .where("id", "=", factor.id)
    .where("used_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Why a second factor was not accepted, after a correct password. */
export function secondFactorRefusal(status: 401 | 422, factor: SecondFactor): Refusal {
  if (factor.kind === "recovery" || (factor.kind === "spent" && factor.what === "recovery code"))
    return new Refusal(status, status === 401 ? "sign_in_recovery_code_used" : "recovery_code_used");
  if (factor.kind === "code" || factor.kind === "spent")
    return new Refusal(status, status === 401 ? "sign_in_code_used" : "one_time_code_used");
  return new Refusal(status, status === 401 ? "sign_in_wrong" : "second_factor_wrong");
}

/** How many recovery codes an operator has left. */
export async function recoveryCodesLeft(db: Db | Tx, operatorId: number): Promise<number> {
  return (await recoveryRows(db, operatorId)).filter(({ used_at }) => used_at === null).length;
}

function recoveryRows(db: Db | Tx, operatorId: number) {
  return db
    .selectFrom("operator_recovery_codes")
    .select(["id", "hash", "used_at", "used_from", "seen_at"])
    .where("operator_id", "=", operatorId)
    .orderBy("id")
    .execute();
}

async function keepCodes(tx: Tx, operatorId: number, hashes: readonly string[], now: Date): Promise<void> {
  await tx.deleteFrom("operator_recovery_codes").where("operator_id", "=", operatorId).execute();
  await tx
    .insertInto("operator_recovery_codes")
    .values(hashes.map((hash) => ({ operator_id: operatorId, hash, created_at: now })))
    .execute();
}

/** Such as 0123 4567 8901. */
function newCodes(): string[] {
  const four = (): string => String(randomInt(10_000)).padStart(4, "0");
  return Array.from({ length: setSize }, () => [four(), four(), four()].join(" "));
}

function spent(what: "code" | "recovery code"): SecondFactor {
  return { kind: "spent", what };
}

async function ownRow(db: Db, id: number): Promise<CodesRow & { password: string | null }> {
  return db
    .selectFrom("operators")
    .select(["id", "password", "totp_salt", "totp_step"])
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
}

function saltOf(secret: string, session: Session): Buffer {
  return createHmac("sha256", secret).update("totp-offer:").update(session.hash).digest();
}

function note(tx: Tx, { operator }: Session, action: AuditAction, at: Date): Promise<void> {
  return writeAudit(tx, { at, actor: operator.name, action, subject: operator.name });
}

const stepSeconds = 30;

/** The result for an entered code: valid for a 30 s step, already used, or wrong. */
type CodeMatch = { kind: "code"; step: number } | { kind: "used" } | { kind: "wrong" };

/**
 * Compares an entered code with the codes of the previous, present and next step, because clocks differ
 * (RFC 6238, 5.2).
 * @param usedStep the last step whose code was accepted: no code is accepted twice
 */
export async function matchCode(key: Buffer, typed: string, at: Date, usedStep: number | null): Promise<CodeMatch> {
  const token = typed.replace(/\s/g, "");
  if (!/^\d{6}$/.test(token)) return { kind: "wrong" };
  // Loaded on first use to keep the start fast.
  const { verifySync } = await import("otplib");
  const found = verifySync({
    secret: key,
    token,
    epoch: Math.floor(at.getTime() / 1_000),
    period: stepSeconds,
    epochTolerance: stepSeconds,
  });
  if (!found.valid || !("timeStep" in found)) return { kind: "wrong" };
  return found.timeStep > (usedStep ?? -1) ? { kind: "code", step: found.timeStep } : { kind: "used" };
}

/**
 * The key of an operator's codes. It is derived from SECRET and the stored salt, so the database alone does not reveal it.
 * @returns 20 bytes, as RFC 4226 recommends
 */
export function totpKey(secret: string, operatorId: number, salt: Buffer): Buffer {
  return createHmac("sha1", secret).update(`totp:${operatorId}:`).update(salt).digest();
}

/** The link and the key to set up an authenticator app. */
export async function totpSetup(
  key: Buffer,
  names: { publication: string; operator: string },
): Promise<{ key: string; uri: string }> {
  const { generateURI, ScureBase32Plugin } = await import("otplib");
  const secret = new ScureBase32Plugin().encode(key);
  const uri = generateURI({ secret, issuer: names.publication, label: names.operator });
  return { key: secret.match(/.{1,4}/g)!.join(" "), uri };
}
