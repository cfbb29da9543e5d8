import type { SignInCaps } from "../abuse/sign-in.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../ops/audit.ts";
import { nameKey } from "./names.ts";
import { checkPassword } from "./password.ts";
import { dropEndedSessions, endSession, openSession } from "./sessions.ts";
import { matchCode, totpKey } from "./totp.ts";

export interface SignInDeps {
  db: Db;
  clock: Clock;
  options: { secret: string };
  signIns: SignInCaps;
}

export interface SignInRequest {
  name: string;
  password: string;
  /** A one-time code; "" from those who use none. */
  code: string;
  /** The network as `networkOf` has it, for the caps. */
  network: string;
  from: string;
  agent: string;
  /** A session's token that the browser came with: it ends, for a new one begins. */
  old: string | null;
}

/**
 * Signs an operator in. Whatever was wrong, name, password or code, the answer and the work for it are the same.
 * @returns the new session's token
 * @throws Refusal 401, or 429 after too many tries
 */
export async function signIn(deps: SignInDeps, request: SignInRequest): Promise<string> {
  const { db, clock, options, signIns } = deps;
  const key = nameKey(request.name.slice(0, 200));
  const seconds = await signIns.admit(request.network, key);
  if (seconds !== null) {
    const minutes = Math.ceil(seconds / 60);
    throw new Refusal(
      429,
      `Too many tries: wait ${minutes === 1 ? "a minute" : `${minutes} minutes`}, then try again.`,
      {
        retryAfterSeconds: seconds,
      },
    );
  }
  const now = clock.now();
  const operator = await db.selectFrom("operators").selectAll().where("name_key", "=", key).executeTakeFirst();
  const right = await checkPassword(request.password, operator?.password ?? null);
  const step = operator?.totp_salt
    ? matchCode(totpKey(options.secret, operator.id, operator.totp_salt), request.code, now, operator.totp_step)
    : 0;
  if (!operator || !right || step === null || operator.disabled_at !== null) throw wrong();

  return db.transaction().execute(async (tx) => {
    // Settled in the row itself, so that of two tries with one code, and of a try while the operator is disabled, one fails.
    const { numUpdatedRows } = await tx
      .updateTable("operators")
      .set({ signed_in_at: now, ...(operator.totp_salt ? { totp_step: step } : {}) })
      .where("id", "=", operator.id)
      .where("disabled_at", "is", null)
      .where("password", "=", operator.password)
      .$if(operator.totp_salt !== null, (query) =>
        query.where((or) => or.or([or("totp_step", "is", null), or("totp_step", "<", step)])),
      )
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw wrong();
    if (request.old !== null) await endSession(tx, request.old);
    await dropEndedSessions(tx, now);
    const token = await openSession(tx, { operatorId: operator.id, from: request.from, agent: request.agent }, now);
    await writeAudit(tx, { at: now, actor: operator.name, action: "operator sign in", subject: operator.name });
    return token;
  });
}

function wrong(): Refusal {
  return new Refusal(401, "Name, password or one-time code is wrong: check all three and try again.");
}
