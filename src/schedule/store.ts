import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { Schedule } from "../editions/calendar.ts";

/** What can be set of a schedule; `null` goes back to the environment's value. */
export interface ScheduleChange {
  timezone?: string | null;
  sendAt?: string | null;
  sendDays?: number[] | null;
}

export type ScheduleDefaults = Pick<Schedule, "timezone" | "sendAt" | "sendDays">;

export interface EffectiveSchedule extends Schedule {
  /** Nothing due at or before this instant is looked at. */
  since: Date;
}

/** The schedule in force: the environment's values under those that an operator set. Its row is made at first start. */
export async function loadSchedule(db: Db | Tx, defaults: ScheduleDefaults): Promise<EffectiveSchedule> {
  // One statement: every page with a form asks, and a change is seen whole.
  const row = await db
    .selectFrom("schedule")
    .select([
      "timezone",
      "send_at",
      "send_days",
      "since",
      sql<string[]>`array(select date from skipped_dates)`.as("skipped"),
      sql<string[]>`array(select date from moved_dates order by date)`.as("moved"),
      sql<string[]>`array(select send_at from moved_dates order by date)`.as("moved_to"),
    ])
    .executeTakeFirstOrThrow();
  return {
    timezone: row.timezone ?? defaults.timezone,
    sendAt: row.send_at ?? defaults.sendAt,
    sendDays: row.send_days ?? defaults.sendDays,
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

/** The schedule as it was in force when it was last looked at, when the environment has changed since; else null. */
export async function formerSchedule(db: Db, current: EffectiveSchedule): Promise<EffectiveSchedule | null> {
  const { effective } = await db.selectFrom("schedule").select("effective").executeTakeFirstOrThrow();
  const same = JSON.stringify(pick(effective)) === fingerprint(current);
  return same ? null : { ...current, ...effective };
}

/** Writes a change down. @param since nothing due at or before this instant is looked at from now on */
export async function saveSchedule(
  tx: Db | Tx,
  change: ScheduleChange,
  defaults: ScheduleDefaults,
  since: Date,
): Promise<void> {
  await tx
    .updateTable("schedule")
    .set({
      since,
      ...(change.timezone === undefined ? {} : { timezone: change.timezone }),
      ...(change.sendAt === undefined ? {} : { send_at: change.sendAt }),
      ...(change.sendDays === undefined ? {} : { send_days: change.sendDays }),
    })
    .execute();
  const effective = await loadSchedule(tx, defaults);
  await tx
    .updateTable("schedule")
    .set({ effective: fingerprint(effective) })
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
