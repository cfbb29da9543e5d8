import { hostname } from "node:os";
import { sql, type RawBuilder } from "kysely";
import { processStat } from "../base/process-stat.ts";
import type { Db, Tx } from "../db/schema.ts";
import { retryDelayMs } from "./outcome.ts";
import { canMove, eitherChanges } from "./state.ts";
import { lockEditions } from "./rows.ts";

/** A sender without a heartbeat for this long is dead. It sends six heartbeats in that time. */
export const deadAfterMs = 30_000;
export const beatEveryMs = 5_000;

/**
 * Records a heartbeat of this process. Claims belong to a sender and are released when it dies. The database's time counts, so
 * that a wrong clock on one machine does not make a sender look dead.
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

/** That sender `s` had a heartbeat a short time ago. By the database's time, so that no machine's wrong clock matters. */
export const isLive: RawBuilder<boolean> = sql<boolean>`s.beat_at > clock_timestamp() - make_interval(secs => ${deadAfterMs / 1_000})`;

/** How many processes send. */
export async function countSenders(db: Db | Tx): Promise<number> {
  const { rows } = await sql<{ live: number }>`select count(*)::int as live from senders s where ${isLive}`.execute(db);
  return rows[0]!.live;
}

/** How many deliveries of which edition. */
export interface OfEdition {
  edition: number;
  deliveries: number;
}

interface SweepOptions {
  /** Senders without a heartbeat for this long are dead. */
  silentMs: number;
  now: Date;
  /** The sender that asks, and so is alive. */
  self: string;
  policy: "hold" | "resend";
}

/**
 * Takes the claims of dead senders in all tables. Each email may have reached the final dot, so it becomes 'unknown' and
 * waits for an operator. Where the publication chose so (UNKNOWN_POLICY=resend) it is tried again, like any email whose
 * answer was lost, after a while: the sender may only have been slow. A webhook call is always tried again, because its
 * id lets the receiver drop a second copy.
 * @returns how many deliveries were taken
 */
export async function sweepDeadClaims(db: Db, options: SweepOptions): Promise<OfEdition[]> {
  const { now, policy } = options;
  const heardSince = sql`clock_timestamp() - make_interval(secs => ${options.silentMs / 1_000})`;
  const dead = sql`${canMove("lose-sender")} and d.claim <> ${options.self}::uuid and not exists (
    select 1 from senders s where s.id = d.claim and s.beat_at > ${heardSince})`;
  const resend = sql`${policy}::text = 'resend'`;
  return db.transaction().execute(async (tx) => {
    const held = await sql<{ id: number }>`select distinct d.edition_id as id from deliveries d where ${dead}`.execute(
      tx,
    );
    await lockEditions(
      tx,
      held.rows.map(({ id }) => id),
    );
    const { rows } = await sql<OfEdition>`
      with taken as (
        update deliveries d set ${lost(now, retryDelayMs(1))}
        from (
          select d.edition_id, d.id, d.claim, ${resend} and e.state <> 'cancelled' as again
          from deliveries d join editions e on e.id = d.edition_id where ${dead}
        ) swept
        where d.edition_id = swept.edition_id and d.id = swept.id and ${canMove("lose-sender")} and d.claim = swept.claim
        returning d.edition_id
      )
      select edition_id as edition, count(*)::int as deliveries from taken group by edition_id order by edition_id
    `.execute(tx);
    await sql`
      update notices d set ${lost(now, retryDelayMs(1))} from (select ${resend} as again) swept where ${dead}`.execute(
      tx,
    );
    await sql`
      update alert_calls d set ${lost(now, callRetryMs)} from (select true as again) swept where ${dead}`.execute(tx);
    await sql`delete from senders where beat_at <= ${heardSince} and id <> ${options.self}::uuid`.execute(tx);
    return rows;
  });
}

const callRetryMs = 60_000;

function lost(now: Date, delayMs: number): RawBuilder<unknown> {
  const dueAt = new Date(now.getTime() + delayMs);
  return eitherChanges(sql`swept.again`, ["retry-lost", "lose-sender"], { now, due_at: sql`${dueAt}` });
}
