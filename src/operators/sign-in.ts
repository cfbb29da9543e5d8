import type { SignInCaps } from "../abuse/sign-in.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { readSecondFactor, recoveryCodesLeft, secondFactorRefusal, useSecondFactor } from "./codes.ts";
import { knownDevice, rememberDevice, dropEndedSessions, endSession, openSession } from "./sessions.ts";
import { nameKey } from "./names.ts";
import { checkPassword } from "./password.ts";

export interface SignInDeps {
  db: Db;
  clock: Clock;
  options: { secret: string };
  signIns: SignInCaps;
}

export interface SignInRequest {
  name: string;
  password: string;
  /** A one-time code or recovery code; "" if none was entered. */
  code: string;
  /** The origin, from `networkOf` and `siteOf`. */
  network: string;
  site: string;
  /** The cookie that `rememberDevice` made, if the browser has one. */
  device: string | null;
  from: string;
  agent: string;
  /** The token of the browser's present session, which ends. */
  old: string | null;
}

export interface SignedIn {
  /** The token of the new session. */
  token: string;
  /** The new device cookie. */
  device: string;
  /** Whether a recovery code was used, and how many are left. */
  recovery: { left: number } | null;
}

/**
 * Signs an operator in. A wrong name, password or code gets the same answer after the same work. Only with the right
 * password does the answer say that a code was already used.
 * @throws Refusal 401, or 429 after too many attempts
 */
export async function signIn(deps: SignInDeps, request: SignInRequest): Promise<SignedIn> {
  const { clock, options, signIns } = deps;
  const key = nameKey(request.name.slice(0, 200));
  const now = clock.now();
  const device = knownDevice(options.secret, request.device, key, now);
  const origin = { network: request.network, site: request.site, device };
  const seconds = await signIns.admit(origin, key);
  if (seconds !== null) throw tooManyTries(seconds);
  try {
    return await checkAndOpen(deps, request, key, now);
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) await signIns.failed(origin, key);
    throw error;
  }
}

async function checkAndOpen(deps: SignInDeps, request: SignInRequest, key: string, now: Date): Promise<SignedIn> {
  const { db, options } = deps;
  const { from } = request;
  const operator = await db.selectFrom("operators").selectAll().where("name_key", "=", key).executeTakeFirst();
  const right = await checkPassword(request.password, operator?.password ?? null);
  const factor = await readSecondFactor(deps, operator ?? null, request.code, now);
  if (!operator || !right || operator.disabled_at !== null || factor.kind === "wrong") throw wrong();

  return db.transaction().execute(async (tx) => {
    // The row decides, so that a sign-in fails if the operator changes at the same time.
    const { numUpdatedRows } = await tx
      .updateTable("operators")
      .set({ signed_in_at: now })
      .where("id", "=", operator.id)
      .where("disabled_at", "is", null)
      .where("password", "=", operator.password)
      .where("totp_salt", operator.totp_salt === null ? "is" : "=", operator.totp_salt)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw wrong();
    if (!(await useSecondFactor(tx, operator, factor, { at: now, from }))) throw secondFactorRefusal(401, factor);
    if (request.old !== null) await endSession(tx, request.old);
    await dropEndedSessions(tx, now);
    const token = await openSession(tx, { operatorId: operator.id, from, agent: request.agent }, now);
    const recovery = factor.kind === "recovery" ? { left: await recoveryCodesLeft(tx, operator.id) } : null;
    await writeAudit(tx, {
      at: now,
      actor: operator.name,
      action: "operator sign in",
      subject: operator.name,
      detail: recovery ? { with: "recovery code", left: recovery.left } : {},
    });
    return { token, device: rememberDevice(options.secret, request.device, key, now), recovery };
  });
}

/** @param seconds until the next attempt is allowed */
export function tooManyTries(seconds: number): Refusal {
  return new Refusal(429, "too_many_sign_ins", { n: Math.ceil(seconds / 60), retryAfterSeconds: seconds });
}

function wrong(): Refusal {
  return new Refusal(401, "sign_in_wrong");
}
