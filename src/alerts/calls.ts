import { createHmac } from "node:crypto";
import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { fixedPermits, sendDue } from "../ledger/engine.ts";
import type { Ledger, LedgerTable } from "../ledger/ledger.ts";
import type { Outcome } from "../ledger/outcome.ts";
import { canMove, changes } from "../ledger/state.ts";
import { settleRows, unclaimRows } from "../ledger/rows.ts";

interface Call {
  id: string;
  body: string;
  attempts: number;
}

export type CallLedger = Ledger<object, Call, Outcome<string>>;

export const callsAtOnce = 20;
const limitMs = 10_000;
const minuteMs = 60_000;
const longestPauseMs = 60 * minuteMs;
/** Calls that were not accepted are dropped after a day. */
const usefulMs = 24 * 60 * minuteMs;

/** The webhook calls, for a ledger. A call that was accepted is deleted. */
export const callTable: LedgerTable<object, Call, Outcome<string>> = {
  async claim(tx, { sender, count, now }) {
    const { rows } = await sql<Call>`
      update alert_calls d set ${changes("claim", { now, claim: sql`${sender}` })}
      from (
        select d.id from alert_calls d where ${canMove("claim")} and d.due_at <= ${now}
        order by d.created_at, d.id limit ${count} for update skip locked
      ) due
      where d.id = due.id
      returning d.id, d.body, d.attempts`.execute(tx);
    return { claimed: rows, skipped: 0 };
  },
  unclaim: (tx, claimant, now) => unclaimRows(tx, "alert_calls", claimant, now),
  async settle(tx, sender, outcomes, now) {
    await settleRows(tx, "alert_calls", { sender, outcomes, now });
    if (outcomes.some(({ state }) => state === "sent")) {
      await sql`delete from alert_calls where state = 'sent'`.execute(tx);
    }
    return null;
  },
};

const permits = fixedPermits(callsAtOnce);

/**
 * Makes the due webhook calls. A call without a 2xx answer within 10 s is retried for a day, after 1, 2, 4 minutes and so
 * on, at most an hour apart. So is a call whose answer was lost: receivers recognise a second copy by its `webhook-id`.
 */
export async function makeCalls(deps: {
  db: Db;
  clock: Clock;
  log: Log;
  callLedger: CallLedger;
  options: { alertWebhook: { url: string; secret: string } | null };
}): Promise<void> {
  const { db, clock, log, callLedger, options } = deps;
  const now = clock.now();
  const { alertWebhook } = options;
  if (alertWebhook === null) return;
  await db
    .deleteFrom("alert_calls")
    .where("created_at", "<", new Date(now.getTime() - usefulMs))
    .execute();
  if (!(await hasDueCalls(db, now))) return;
  await sendDue(
    {
      permits,
      ledger: callLedger,
      request: {},
      async send(call) {
        const outcome = await makeCall(alertWebhook, call, clock);
        permits.release(1);
        const { state, code, data } = outcome;
        if (state !== "sent")
          log.warn({ call: call.id, attempts: call.attempts, code, ...data }, "webhook call failed");
        return outcome;
      },
    },
    new AbortController().signal,
  );
}

async function hasDueCalls(db: Db, now: Date): Promise<boolean> {
  const { rows } = await sql`
    select from alert_calls d where ${canMove("claim")} and d.due_at <= ${now} limit 1`.execute(db);
  return rows.length > 0;
}

async function makeCall(
  { url, secret }: { url: string; secret: string },
  { id, body, attempts }: Call,
  clock: Clock,
): Promise<Outcome<string>> {
  const retry = (): { id: string; state: "deferred"; reply: null; dueAt: Date } => {
    const pauseMs = Math.min(longestPauseMs, minuteMs * 2 ** Math.min(attempts - 1, 10));
    return { id, state: "deferred", reply: null, dueAt: new Date(clock.now().getTime() + pauseMs) };
  };
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: signedHeaders(secret, { id, at: clock.now(), body }),
      body,
      // A redirect could send the call to an address that nobody configured.
      redirect: "manual",
      signal: AbortSignal.timeout(limitMs),
    });
    await answer.body?.cancel();
    if (answer.ok) return { id, state: "sent", reply: null, dueAt: null };
    return { ...retry(), code: "webhook_refused", data: { status: answer.status } };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { ...retry(), code: "webhook_failed", data: { error: reasonOf(cause) } };
  }
}

/**
 * The headers of a call according to Standard Webhooks (standardwebhooks.com, "Signature scheme"): an HMAC-SHA256 over id,
 * time and body, which receivers verify to reject forged and replayed calls.
 * @param secret base64 behind `whsec_`, or any text, whose bytes are then the key
 */
export function signedHeaders(secret: string, call: { id: string; at: Date; body: string }): Record<string, string> {
  const timestamp = String(Math.floor(call.at.getTime() / 1_000));
  const prefix = "whsec_";
  const key = secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), "base64") : Buffer.from(secret);
  const signature = createHmac("sha256", key).update(`${call.id}.${timestamp}.${call.body}`).digest("base64");
  return {
    "content-type": "application/json",
    "webhook-id": call.id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}
