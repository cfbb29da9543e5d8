import { createHmac } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../ops/audit.ts";
import { checkPassword, demandNewPassword, hashPassword } from "./password.ts";
import { endSessions, openSession, type Session } from "./sessions.ts";
import { matchCode, totpKey, totpSetup } from "./totp.ts";

interface Deps {
  db: Db;
  clock: Clock;
  options: { secret: string } & Parameters<typeof demandNewPassword>[2];
}

/** Whether an operator uses one-time codes. */
export async function usesCodes(db: Db, session: Session): Promise<boolean> {
  return (await ownRow(db, session)).totp_salt !== null;
}

/**
 * What an authenticator program needs to make this operator's codes. It is the same as long as the session lasts, so
 * that showing it keeps nothing; `confirmCodes` does.
 */
export function offerCodes({ options }: Deps, session: Session): { key: string; uri: string } {
  const key = totpKey(options.secret, session.operator.id, saltOf(options.secret, session));
  return totpSetup(key, { publication: options.publicationName, operator: session.operator.name });
}

/** Turns one-time codes on, by the first code of what `offerCodes` gave. @throws Refusal 422 */
export async function confirmCodes(deps: Deps, session: Session, code: string): Promise<void> {
  const { db, clock, options } = deps;
  const now = clock.now();
  const salt = saltOf(options.secret, session);
  const step = matchCode(totpKey(options.secret, session.operator.id, salt), code, now, null);
  if (step === null) {
    throw new Refusal(
      422,
      "The code is not the one of this moment: check the clock of your device and type the next one.",
    );
  }
  await db.transaction().execute(async (tx) => {
    const set = { totp_salt: salt, totp_step: step };
    await tx.updateTable("operators").set(set).where("id", "=", session.operator.id).execute();
    await note(tx, session, "operator codes on", now);
  });
}

/** Turns one-time codes off. @throws Refusal 422 for a wrong password */
export async function dropCodes({ db, clock }: Deps, session: Session, password: string): Promise<void> {
  await demandPassword(await ownRow(db, session), password);
  await db.transaction().execute(async (tx) => {
    const set = { totp_salt: null, totp_step: null };
    await tx.updateTable("operators").set(set).where("id", "=", session.operator.id).execute();
    await note(tx, session, "operator codes off", clock.now());
  });
}

/**
 * Changes an operator's own password and ends every session, this one too.
 * @returns the token of the one that goes on
 * @throws Refusal 422
 */
export async function changePassword(
  { db, clock, options }: Deps,
  session: Session,
  request: { present: string; password: string; repeated: string; from: string; agent: string },
): Promise<string> {
  const { id, name } = session.operator;
  const row = await ownRow(db, session);
  await demandPassword(row, request.present);
  await demandNewPassword(request, name, options);
  const password = await hashPassword(request.password);
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("operators")
      .set({ password })
      .where("id", "=", id)
      .where("password", "=", row.password)
      .executeTakeFirst();
    if (numUpdatedRows === 0n)
      throw new Refusal(409, "The password was changed elsewhere at the same moment: sign in anew.");
    await endSessions(tx, id);
    await note(tx, session, "operator password", now);
    return openSession(tx, { operatorId: id, from: request.from, agent: request.agent }, now);
  });
}

async function ownRow(db: Db, session: Session): Promise<{ password: string | null; totp_salt: Buffer | null }> {
  return db
    .selectFrom("operators")
    .select(["password", "totp_salt"])
    .where("id", "=", session.operator.id)
    .executeTakeFirstOrThrow();
}

async function demandPassword(row: { password: string | null }, password: string): Promise<void> {
  if (await checkPassword(password, row.password)) return;
  throw new Refusal(422, "The present password is not right: nothing was changed.");
}

function saltOf(secret: string, session: Session): Buffer {
  return createHmac("sha256", secret).update("totp-offer:").update(session.hash).digest();
}

function note(tx: Tx, { operator }: Session, action: string, at: Date): Promise<void> {
  return writeAudit(tx, { at, actor: operator.name, action, subject: operator.name });
}
