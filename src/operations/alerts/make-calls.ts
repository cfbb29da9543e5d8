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
/** What nobody took for a day is no news any more. */
const usefulMs = 24 * 60 * minuteMs;

/**
 * Makes the calls of the webhook that are due. One that is not answered with 2xx within 10 s is made again after one,
 * two, four minutes and so on, up to an hour, for a day. Another node leaves those alone that one is at.
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
    else log.warn({ call: call.id, attempts: call.attempts, reason: fault }, "alert webhook does not take the call");
  }
}

/** The next attempt is written down before this one, so that a process that dies at it costs no call. */
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

/** @returns null when it was taken, else what went wrong */
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
      // A redirect would carry the call to an address that nobody has set.
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
