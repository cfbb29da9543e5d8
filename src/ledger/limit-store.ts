import { sql, type RawBuilder } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { LimitStore } from "../mail/fleet.ts";
import type { QuotaPeriod } from "../mail/quota.ts";
import {
  exchange,
  noLimits,
  resume,
  type Answer,
  type SharedLimits,
  type SharedPause,
  type Workers,
} from "../mail/shared-limits.ts";
import type { Message } from "../texts/catalogue.ts";
import { isLive } from "./dead-senders.ts";

/**
 * The shared limits in the database, for one worker. Most questions change nothing and cost one query; a lease is a
 * transaction that holds the row for a moment. The clock is the database's (ADR 23).
 */
export function openLimitStore(db: Db, sender: string): LimitStore {
  return {
    async exchange(ask) {
      if (ask.lease === null) {
        const found = await read(db, sender, false);
        if (found) {
          const { limits, answer } = exchange(found.limits, sender, ask, found);
          if (limits === found.limits) return answer;
        }
      }
      return db.transaction().execute(async (tx): Promise<Answer> => {
        const found = (await read(tx, sender, true)) ?? (await begin(tx, sender));
        const { limits, answer } = exchange(found.limits, sender, ask, found);
        if (limits !== found.limits) await write(tx, limits);
        return answer;
      });
    },
  };
}

/** The shared limits as they are at `now`. Before any worker has sent there are none. */
export async function sharedLimits(db: Db | Tx): Promise<{ limits: SharedLimits; now: number }> {
  return (await read(db, null, false)) ?? { limits: noLimits, now: 0 };
}

/**
 * Ends the pause of all workers. They notice it within a second.
 * @returns the pause as it was, with the milliseconds since it began and those that were left; null if nothing was paused
 */
export async function endPause(tx: Tx): Promise<(SharedPause & { sinceMs: number; leftMs: number }) | null> {
  const found = await read(tx, null, true);
  if (!found) return null;
  const limits = resume(found.limits, found.now);
  if (limits === found.limits) return null;
  await write(tx, limits);
  const pause = found.limits.pause!;
  return { ...pause, sinceMs: found.now - pause.at, leftMs: pause.until - found.now };
}

interface Found {
  now: number;
  limits: SharedLimits;
  workers: Workers;
}

interface Row {
  now: number;
  nextAt: number;
  slowedAt: number | null;
  slowedRate: number;
  slowedFull: number;
  pausedAt: number | null;
  pausedUntil: number;
  reason: string | Message;
  failures: number;
  quota: QuotaPeriod | null;
  probeBy: string | null;
  probeUntil: number;
  others: number;
  before: number;
  ageMs: number | null;
}

/** A worker that is suspended with the row locked must not stop the others for longer. */
const lockedMs = 2_000;

/** @param lock whether others wait until the transaction ends */
async function read(db: Db | Tx, sender: string | null, lock: boolean): Promise<Found | null> {
  const { rows } = await sql<Row>`
    select ${ms(sql`clock_timestamp()`)} as now, ${ms(sql`l.next_at`)} as "nextAt",
      ${ms(sql`l.slowed_at`)} as "slowedAt", l.slowed_rate as "slowedRate", l.slowed_full as "slowedFull",
      ${ms(sql`l.paused_at`)} as "pausedAt", ${ms(sql`l.paused_until`)} as "pausedUntil",
      l.pause_reason as reason, l.pause_failures as failures, l.pause_quota as quota,
      l.probe_by as "probeBy", ${ms(sql`l.probe_until`)} as "probeUntil", s.others, s.before, s."ageMs"
      ${lock ? sql`, set_config('idle_in_transaction_session_timeout', ${String(lockedMs)}, true)` : sql``}
    from sending_limits l cross join (
      select count(*) filter (where s.id is distinct from ${sender}::uuid)::int as others,
        count(*) filter (where me.id is null or (s.started_at, s.id) < (me.started_at, me.id))::int as before,
        (extract(epoch from clock_timestamp() - max(me.started_at)) * 1000)::float8 as "ageMs"
      from senders s left join senders me on me.id = ${sender}::uuid
      where ${isLive}
    ) s ${lock ? sql`for update of l` : sql``}`.execute(db);
  const [row] = rows;
  if (!row) return null;
  const { now, nextAt, others, before, ageMs } = row;
  return {
    now,
    limits: {
      nextAt,
      slowed: row.slowedAt === null ? null : { at: row.slowedAt, rate: row.slowedRate, full: row.slowedFull },
      pause:
        row.pausedAt === null
          ? null
          : {
              at: row.pausedAt,
              until: row.pausedUntil,
              reason: row.reason,
              failures: row.failures,
              quota: row.quota,
              probe: row.probeBy === null ? null : { worker: row.probeBy, until: row.probeUntil },
            },
    },
    workers: { others, before, ageMs },
  };
}

async function begin(tx: Tx, sender: string): Promise<Found> {
  await sql`insert into sending_limits default values on conflict do nothing`.execute(tx);
  return (await read(tx, sender, true))!;
}

async function write(tx: Tx, { nextAt, slowed, pause }: SharedLimits): Promise<void> {
  await sql`
    update sending_limits set next_at = ${at(nextAt)},
      slowed_at = ${at(slowed?.at)}, slowed_rate = ${slowed?.rate ?? null}, slowed_full = ${slowed?.full ?? null},
      paused_at = ${at(pause?.at)}, paused_until = ${at(pause?.until)},
      pause_reason = ${pause ? JSON.stringify(pause.reason) : null}::jsonb,
      pause_failures = ${pause?.failures ?? null}, pause_quota = ${pause?.quota ?? null},
      probe_by = ${pause?.probe?.worker ?? null}::uuid, probe_until = ${at(pause?.probe?.until)}`.execute(tx);
}

/** Milliseconds since 1970, with fractions. */
function ms(time: RawBuilder<unknown>): RawBuilder<number | null> {
  return sql<number | null>`(extract(epoch from ${time}) * 1000)::float8`;
}

function at(time: number | undefined): RawBuilder<Date | null> {
  return sql<Date | null>`to_timestamp(${time === undefined ? null : time / 1_000}::float8)`;
}
