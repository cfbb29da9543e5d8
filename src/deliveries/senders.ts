import { hostname } from "node:os";
import { sql } from "kysely";
import { processStat } from "../base/process-stat.ts";
import type { Db } from "../db/schema.ts";
import { retryDelayMs } from "../mail/backoff.ts";
import type { OfEdition } from "./store.ts";
import { holdEditions } from "./claims.ts";

/** A sender that has not been heard of for this long is dead; it beats six times in that time. */
export const deadAfterMs = 30_000;
export const beatEveryMs = 5_000;

/**
 * Writes down that this process is alive. Claims belong to a sender and die with it. The time is the database's: whether
 * a sender lives must not hang on whose clock is right.
 */
export async function beat(db: Db, sender: string): Promise<void> {
  await sql`
    insert into senders (id, host, pid, started_at, beat_at)
    values (${sender}, ${hostname()}, ${process.pid}, clock_timestamp(), clock_timestamp())
    on conflict (id) do update set beat_at = excluded.beat_at`.execute(db);
}

export async function signOff(db: Db, sender: string): Promise<void> {
  await db.deleteFrom("senders").where("id", "=", sender).execute();
}

/** Forgets senders of this very machine whose process is gone, so that a restart need not wait until they count as dead. */
export async function forgetGoneNeighbours(db: Db, self: string): Promise<void> {
  const rows = await db
    .selectFrom("senders")
    .select(["id", "pid"])
    .where("host", "=", hostname())
    .where("id", "<>", self)
    .execute();
  const gone = rows.filter((row) => !isRunning(row.pid)).map((row) => row.id);
  if (gone.length > 0) await db.deleteFrom("senders").where("id", "in", gone).execute();
}

function isRunning(pid: number): boolean {
  // In a container every first process has pid 1: a row with our own pid is a predecessor's.
  if (pid === process.pid || processStat(pid)?.dead) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Takes the claims of dead senders: each may have reached the final dot, so it becomes 'unknown' and waits for an
 * operator. Where the publication chose so (UNKNOWN_POLICY=resend) it is tried again, like any mail whose answer was
 * lost, after a while: the sender may only have been slow.
 * @param silentMs senders that have not beaten for so long are dead
 * @param self the sender that asks, and so is alive
 * @returns how many claims were taken
 */
export async function sweepDeadClaims(
  db: Db,
  options: { silentMs: number; now: Date; self: string; policy: "hold" | "resend" },
): Promise<OfEdition[]> {
  const { now, self, policy } = options;
  const heardSince = sql`clock_timestamp() - make_interval(secs => ${options.silentMs / 1_000})`;
  const dead = sql`deliveries.state = 'sending' and claim <> ${self}::uuid and not exists (
    select 1 from senders s where s.id = claim and s.beat_at > ${heardSince})`;
  const dueAt = new Date(now.getTime() + retryDelayMs(1));
  return db.transaction().execute(async (tx) => {
    await holdEditions(tx, dead);
    const { rows } = await sql<OfEdition>`
      with taken as (
      update deliveries d set
        state = case when again then 'deferred' else 'unknown' end,
        due_at = case when again then ${dueAt}::timestamptz end,
        settled_at = ${now}, reply = 'the sender stopped before the relay''s answer was written down'
      from (
        select deliveries.id, claim, ${policy}::text = 'resend' and e.state <> 'cancelled' as again
        from deliveries join editions e on e.id = edition_id where ${dead}
      ) swept
      where d.id = swept.id and d.state = 'sending' and d.claim = swept.claim
      returning d.edition_id
      )
      select edition_id as edition, count(*)::int as deliveries from taken group by edition_id order by edition_id
    `.execute(tx);
    await sql`delete from senders where beat_at <= ${heardSince} and id <> ${self}::uuid`.execute(tx);
    return rows;
  });
}
