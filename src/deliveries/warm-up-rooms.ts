import { sql, type RawBuilder } from "kysely";
import { joinProvider, providerColumn } from "../providers/store.ts";
import type { Clock } from "../base/clock.ts";
import type { Db, Tx } from "../db/schema.ts";
import { localDate, nextSends, startOfDate } from "../schedule/calendar.ts";
import { loadSchedule } from "../schedule/store.ts";
import { isReading } from "../subscribers/reading.ts";
import { plannedDays, servedFrom, warmUpDay, type PlannedDay, type WarmUpDay, type WarmUpPlan } from "./warm-up.ts";

/** A date of the warm-up, and what follows. */
export interface WarmUp extends WarmUpDay {
  date: string;
  /** Each provider gets the cap over so many hours. */
  hours: number;
  /** From this date on. */
  planned: PlannedDay[];
}

/** A provider with more readers than may get an edition, or than may get it at once. */
export interface Limited {
  provider: string;
  readers: number;
  /** How many of them may get it. */
  room: number;
}

/** @returns null when the date has no cap. Without WARMUP_START, no query is made. */
export async function warmUpOf(db: Db | Tx, plan: WarmUpPlan, date: string): Promise<WarmUp | null> {
  const { warmupStart: start, warmupSchedule, warmupHours: hours } = plan;
  if (start === null || date < start) return null;
  const day = warmUpDay(plan, date, await countSentDays(db, { start, date, most: warmupSchedule.length }));
  if (day === null) return null;
  const later = (await sendDates(db, date, warmupSchedule.length + 1)).filter((one) => one > date);
  return { date, ...day, hours, planned: plannedDays(plan, day, [date, ...later]) };
}

/** The next `count` dates of the schedule, `from` included, or fewer. */
async function sendDates(db: Db | Tx, from: string, count: number): Promise<string[]> {
  const schedule = await loadSchedule(db);
  const before = new Date(startOfDate(from, schedule.timezone).getTime() - 1);
  return nextSends(before, schedule, count).map(({ date }) => date);
}

/** Dates with an edition that the relay accepted emails of, counted up to `most`. */
async function countSentDays(
  db: Db | Tx,
  { start, date, most }: { start: string; date: string; most: number },
): Promise<number> {
  // `limit 1` keeps the planner from reading all deliveries for a hash.
  const { rows } = await sql<{ days: number }>`
    select count(*)::int as days from (
      select distinct e.date from editions e
      where e.date >= ${start} and e.date < ${date} and e.selected > 0
        and ((e.final_counts ->> 'sent')::int > 0
          or (select true from deliveries d where d.edition_id = e.id and d.state = 'sent' limit 1))
      order by e.date limit ${most}
    ) days`.execute(db);
  return rows[0]!.days;
}

/** How many readers of each provider the other editions of a date are for. */
async function usedOn(db: Db | Tx, date: string, besides: number | null): Promise<Map<string, number>> {
  const { rows: editions } = await sql<{ id: number }>`
    select id from editions where date = ${date} and selected > 0 and id is distinct from ${besides}::bigint`.execute(
    db,
  );
  if (editions.length === 0) return new Map();
  const { rows } = await sql<{ provider: string; used: number }>`
    select ${providerColumn} as provider, count(*)::int as used
    from deliveries d ${joinProvider}
    where d.edition_id = any(${editions.map(({ id }) => id)}::bigint[]) and d.state <> 'skipped'
    group by 1`.execute(db);
  return new Map(rows.map(({ provider, used }) => [provider, used]));
}

/** A domain that was never looked up is its own provider. */
const domainOfReader = sql`split_part(s.address, '@', 2)`;
const providerOfReader = sql<string>`coalesce(p.provider, ${domainOfReader})`;
/** Joins the provider of reader `s`. */
const joinReader = sql`left join provider_domains p on p.domain = ${domainOfReader}`;

/**
 * The providers that have more readers in an audience than the cap has room for, in the day or in the first hour.
 * @param readers a query for ids of subscribers, as `subscriber_id`
 * @param besides the edition itself, if it has deliveries already
 */
export async function providersOverCap(
  db: Db | Tx,
  readers: RawBuilder<unknown>,
  warmUp: WarmUp,
  besides: number | null,
): Promise<Limited[]> {
  const used = await usedOn(db, warmUp.date, besides);
  const room = sql`greatest(0, ${warmUp.cap}::int - coalesce(u.used, 0))`;
  const { rows } = await sql<Limited>`
    with counted as (
      select ${providerOfReader} as provider, count(*)::int as readers
      from (${readers}) r join subscribers s on s.id = r.subscriber_id ${joinReader} group by 1
    )
    select provider, readers, ${room} as room
    from counted left join unnest(${[...used.keys()]}::text[], ${[...used.values()]}::int[]) as u(provider, used) using (provider)
    where readers > least(${room}, ${perHour(warmUp)}::int)
    order by readers desc, provider`.execute(db);
  return rows;
}

/** How many readers the warm-up leaves out. */
export function countLeftOut(limited: readonly Limited[]): number {
  return limited.reduce((sum, { readers, room }) => sum + Math.max(0, readers - room), 0);
}

/**
 * Makes the temporary table `turns` of the readers in the temporary table `matched` who don't get their email at once:
 * `hour` says how many hours later, and `reason_data`, if not null, why not at all. Readers of the last edition stay in, then
 * come those who confirmed last: mailbox providers trust a sender whose readers open the emails.
 * @returns how many get no email; null if there is no table, because everybody gets one at once
 */
export async function takeTurns(tx: Tx, editionId: number, warmUp: WarmUp): Promise<number | null> {
  const limited = await providersOverCap(tx, sql`select subscriber_id from matched`, warmUp, editionId);
  if (limited.length === 0) return null;
  const last = await lastEditions(tx, editionId, warmUp.date);
  const later = warmUp.planned.slice(1);
  await sql`
    create temporary table turns on commit drop as
    with limited as (
      select * from unnest(
        ${limited.map(({ provider }) => provider)}::text[], ${limited.map(({ room }) => room)}::int[],
        ${limited.map(({ readers }) => servedFrom(later, readers) ?? "none")}::text[]
      ) as l(provider, room, served_from)
    ), before as (
      select distinct subscriber_id from deliveries where edition_id = any(${last}::bigint[]) and state <> 'skipped'
    ), ranked as (
      select m.subscriber_id, l.*, row_number() over (
        partition by l.provider
        order by b.subscriber_id is null, s.confirmed_at desc nulls last, s.id desc
      ) as turn
      from matched m
      join subscribers s on s.id = m.subscriber_id
      ${joinReader}
      join limited l on l.provider = ${providerOfReader}
      left join before b on b.subscriber_id = m.subscriber_id
    )
    select subscriber_id, ((turn - 1) / ${perHour(warmUp)}::int)::int as hour,
      case when turn > room then
        jsonb_build_object('provider', provider, 'cap', ${warmUp.cap}::int, 'from', served_from)
      end as reason_data
    from ranked where turn > least(room, ${perHour(warmUp)}::int)`.execute(tx);
  await sql`analyze turns`.execute(tx);
  return countLeftOut(limited);
}

function perHour({ cap, hours }: WarmUp): number {
  return Math.ceil(cap / hours);
}

/** The editions of the last date up to `date` that were for any reader. */
async function lastEditions(tx: Tx, editionId: number, date: string): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select e.id from editions e
    where e.id <> ${editionId} and e.selected > 0 and e.date = (
      select x.date from editions x
      where x.id <> ${editionId} and x.date <= ${date} and x.selected > 0
        and (select true from deliveries d where d.edition_id = x.id and d.state <> 'skipped' limit 1)
      order by x.date desc limit 1
    )`.execute(tx);
  return rows.map(({ id }) => id);
}

/** The state of a warm-up. `running` days have a cap. */
export type WarmUpState = "off" | "waiting" | "running" | "over";

export interface WarmUpStatus {
  state: WarmUpState;
  start: string | null;
  schedule: readonly number[];
  /** Of the date that is next to be sent, or was sent today; null unless waiting or running. */
  current: WarmUp | null;
  /** The providers with the most readers. */
  providers: WarmUpProvider[];
}

export interface WarmUpProvider {
  provider: string;
  /** Active readers. */
  readers: number;
  /** Of the editions of the current date. */
  sent: number;
  leftOut: number;
  /** The first date on which all its readers are expected to be served; null if unknown. */
  servedFrom: string | null;
}

/** Where the warm-up stands. @param most providers that are returned */
export async function warmUpStatus(
  { db, clock, options: plan }: { db: Db; clock: Clock; options: WarmUpPlan },
  most: number,
): Promise<WarmUpStatus> {
  const { warmupStart: start, warmupSchedule: schedule } = plan;
  const base = { start, schedule, current: null, providers: [] };
  if (start === null) return { ...base, state: "off" };
  const now = clock.now();
  const { timezone } = await loadSchedule(db);
  const today = localDate(now, timezone);
  const current = await warmUpOf(db, plan, await currentDate(db, start > today ? start : today));
  if (current === null) return { ...base, state: "over" };
  const providers = (await countProviders(db, current.date, { now, most })).map((one) => ({
    ...one,
    servedFrom: servedFrom(current.planned, one.readers),
  }));
  return { ...base, state: start > today ? "waiting" : "running", current, providers };
}

/** The date itself if it has an edition, otherwise the next one that gets one. */
async function currentDate(db: Db, from: string): Promise<string> {
  const { rows } = await sql`select from editions where date = ${from} and selected > 0 limit 1`.execute(db);
  if (rows.length > 0) return from;
  return (await sendDates(db, from, 1))[0] ?? from;
}

async function countProviders(
  db: Db,
  date: string,
  { now, most }: { now: Date; most: number },
): Promise<Omit<WarmUpProvider, "servedFrom">[]> {
  const { rows: editions } = await sql<{ id: number }>`select id from editions where date = ${date}`.execute(db);
  const { rows } = await sql<Omit<WarmUpProvider, "servedFrom">>`
    with audience as (
      select ${providerOfReader} as provider, count(*)::int as readers
      from subscribers s ${joinReader}
      where ${isReading("s", now)} group by 1
    ), today as (
      select ${providerColumn} as provider,
        count(*) filter (where d.state <> 'skipped')::int as sent,
        count(*) filter (where d.state = 'skipped' and d.reason_code = 'warm_up')::int as "leftOut"
      from deliveries d ${joinProvider}
      where d.edition_id = any(${editions.map(({ id }) => id)}::bigint[]) group by 1
    )
    select a.provider, a.readers, coalesce(t.sent, 0) as sent, coalesce(t."leftOut", 0) as "leftOut"
    from audience a left join today t using (provider)
    order by a.readers desc, a.provider limit ${most}`.execute(db);
  return rows;
}
