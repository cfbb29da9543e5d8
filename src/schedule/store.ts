import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { Schedule } from "./calendar.ts";
import { createHash } from "node:crypto";

/** What can be set of a schedule; `null` goes back to the value of this node's settings. */
export interface ScheduleChange {
  timezone?: string | null;
  sendAt?: string | null;
  sendDays?: number[] | null;
}

export type ScheduleDefaults = Pick<Schedule, "timezone" | "sendAt" | "sendDays">;

export interface EffectiveSchedule extends Schedule {
  /** Dates due at or before this instant are ignored. */
  since: Date;
}

/**
 * The schedule in force, which is the database's alone: an operator's values, and of a node's settings those that were
 * taken over last (`adoptSettings`). So all nodes go by one, whatever their environments say.
 */
export async function loadSchedule(db: Db | Tx): Promise<EffectiveSchedule> {
  // One statement: every page with a form asks, and a change is seen whole.
  const row = await db
    .selectFrom("schedule")
    .select([
      "effective",
      "since",
      sql<string[]>`array(select date from skipped_dates)`.as("skipped"),
      sql<string[]>`array(select date from moved_dates order by date)`.as("moved"),
      sql<string[]>`array(select send_at from moved_dates order by date)`.as("moved_to"),
    ])
    .executeTakeFirstOrThrow();
  return {
    ...pick(row.effective),
    skipped: new Set(row.skipped),
    moved: new Map(row.moved.map((date, i) => [date, row.moved_to[i]!])),
    since: row.since,
  };
}

/** Makes the schedule's row if there is none: dates due before the first start are nobody's. */
export async function ensureSchedule(db: Db, defaults: ScheduleDefaults, now: Date): Promise<void> {
  await db
    .insertInto("schedule")
    .values({ since: now, effective: fingerprint(defaults) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * What of the schedule in force would be otherwise by a node's settings, where no operator has set it.
 * @returns the change that takes it over; null where the settings agree
 */
export async function settingsDiffer(db: Db | Tx, settings: ScheduleDefaults): Promise<ScheduleChange | null> {
  const row = await db
    .selectFrom("schedule")
    .select(["effective", "timezone", "send_at", "send_days"])
    .executeTakeFirstOrThrow();
  const { timezone, sendAt, sendDays } = row.effective;
  const change: ScheduleChange = {
    ...(row.timezone === null && timezone !== settings.timezone ? { timezone: null } : {}),
    ...(row.send_at === null && sendAt !== settings.sendAt ? { sendAt: null } : {}),
    ...(row.send_days === null && sendDays.join() !== settings.sendDays.join() ? { sendDays: null } : {}),
  };
  return Object.keys(change).length === 0 ? null : change;
}

/** Stores a change. @param since dates due at or before this instant are ignored from now on */
export async function saveSchedule(
  tx: Db | Tx,
  change: ScheduleChange,
  settings: ScheduleDefaults,
  since: Date,
): Promise<void> {
  const { timezone, sendAt, sendDays } = change;
  const present = await loadSchedule(tx);
  const effective = {
    timezone: timezone === undefined ? present.timezone : (timezone ?? settings.timezone),
    sendAt: sendAt === undefined ? present.sendAt : (sendAt ?? settings.sendAt),
    sendDays: sendDays === undefined ? present.sendDays : (sendDays ?? settings.sendDays),
  };
  await tx
    .updateTable("schedule")
    .set({
      since,
      effective: fingerprint(effective),
      ...(timezone === undefined ? {} : { timezone }),
      ...(sendAt === undefined ? {} : { send_at: sendAt }),
      ...(sendDays === undefined ? {} : { send_days: sendDays }),
    })
    .execute();
}

/** @param sendAt local "HH:MM" of that date alone; null for that of the schedule */
export async function moveDate(db: Db | Tx, date: string, sendAt: string | null, now: Date): Promise<void> {
  await db.deleteFrom("moved_dates").where("date", "=", date).execute();
  if (sendAt === null) return;
  await db.insertInto("moved_dates").values({ date, send_at: sendAt, created_at: now }).execute();
}

export async function skipDate(db: Db | Tx, date: string, now: Date): Promise<void> {
  await db
    .insertInto("skipped_dates")
    .values({ date, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function unskipDate(db: Db | Tx, date: string): Promise<void> {
  await db.deleteFrom("skipped_dates").where("date", "=", date).execute();
}

function pick({ timezone, sendAt, sendDays }: ScheduleDefaults): ScheduleDefaults {
  return { timezone, sendAt, sendDays };
}

function fingerprint(schedule: ScheduleDefaults): string {
  return JSON.stringify(pick(schedule));
}

/**
 * Names what a person saw of a schedule (hour, days, zone and moved dates), so that a change made from an old look at it
 * can be told apart. Sixteen hexadecimal digits; the same schedule has the same one.
 */
export function revisionOf({ timezone, sendAt, sendDays, moved }: Schedule): string {
  const dates = [...(moved ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([timezone, sendAt, sendDays.toSorted((a, b) => a - b), dates]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
