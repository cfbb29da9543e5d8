import { sql } from "kysely";
import type { Clock } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { Db } from "../../db/schema.ts";
import type { AlertWays } from "./notify.ts";
import { signedHeaders } from "./webhook.ts";

interface Call {
  id: string;
  body: string;
  attempts: number;
  created_at: Date;
}

const atOnce = 20;
const limitMs = 10_000;
const minuteMs = 60_000;
const longestPauseMs = 60 * minuteMs;
/** Undelivered calls are dropped after a day. */
const usefulMs = 24 * 60 * minuteMs;

/**
 * Makes the due webhook calls. A call without a 2xx answer within 10 s is retried for a day, after 1, 2, 4 minutes and so
 * on, at most an hour apart. Nodes do not make each other's calls at the same time.
 */
export async function makeCalls(deps: {
  db: Db;
  clock: Clock;
  log: Log;
  options: Pick<AlertWays, "alertWebhook">;
}): Promise<void> {
  const { db, clock, log, options } = deps;
  const now = clock.now();
  if (options.alertWebhook === null) return;
  await db
    .deleteFrom("alert_calls")
    .where("created_at", "<", new Date(now.getTime() - usefulMs))
    .execute();
  for (const call of await takeCalls(db, now)) {
    const fault = await makeCall(options.alertWebhook, call, clock.now());
    if (fault === null) await db.deleteFrom("alert_calls").where("id", "=", call.id).execute();
    else log.warn({ call: call.id, attempts: call.attempts, reason: fault }, "alert webhook call failed");
  }
}

/** Schedules the next attempt before this one starts, so that a crash does not lose the call. */
async function takeCalls(db: Db, now: Date): Promise<Call[]> {
  const { rows } = await sql<Call>`
    update alert_calls c set attempts = c.attempts + 1,
      due_at = ${now}::timestamptz + least(${longestPauseMs}, ${minuteMs} * power(2, c.attempts)) * interval '1 millisecond'
    from (
      select id from alert_calls where due_at <= ${now} order by created_at, id limit ${atOnce} for update skip locked
    ) due
    where c.id = due.id
    returning c.id, c.body, c.attempts, c.created_at`.execute(db);
  return rows;
}

/** @returns null if the call was accepted, else the error */
async function makeCall(
  { url, secret }: NonNullable<AlertWays["alertWebhook"]>,
  { id, body }: Call,
  at: Date,
): Promise<string | null> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: signedHeaders(secret, { id, at, body }),
      body,
      // A redirect could send the call to an address that nobody configured.
      redirect: "manual",
      signal: AbortSignal.timeout(limitMs),
    });
    await answer.body?.cancel();
    return answer.ok ? null : `it answered ${answer.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return reasonOf(cause);
  }
}
