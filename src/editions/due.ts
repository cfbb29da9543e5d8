import type { Db, Tx } from "../db/schema.ts";
import { loadSchedule, type EffectiveSchedule } from "../schedule/store.ts";
import { dueAt, localDate, timeOf } from "../schedule/calendar.ts";
import { decideDue, lookBackDays, type DueDate } from "../schedule/decide-due.ts";
import { openGathered, recordMissed, type OpenDeps, type Opened, type OpenRequest } from "./open.ts";
import { lockOpening, recordedDates } from "./store.ts";
import { editionName } from "../base/edition-name.ts";

const dayMs = 24 * 3_600_000;

export interface DueDeps extends OpenDeps {
  options: OpenDeps["options"] & { catchUpHours: number };
}

/**
 * Does what the calendar asks for now: opens the edition that is due, writes down those that were missed. Any number of
 * nodes may call it at any time, as often as they like.
 * @param schedule the one in force, or that was in force up to a change of the settings
 * @returns the edition this call opened, or null
 */
export async function openDue(deps: DueDeps, schedule: EffectiveSchedule): Promise<Opened | null> {
  const { db, clock, log, options } = deps;
  const now = clock.now();
  const recorded = await recordedLately(db, now);
  const { since } = schedule;
  const { open, missed } = decideDue({ now, since, schedule, recorded, catchUpHours: options.catchUpHours });
  for (const one of missed) {
    if (await recordMissed(db, { ...one, timezone: schedule.timezone, now })) {
      log.warn({ date: one.date, reason: one.reason.code }, "edition missed");
    }
  }
  if (!open) return null;
  await deps.gather();
  const opened = await db.transaction().execute(async (tx) => {
    await lockOpening(tx);
    if (await changedMeanwhile(deps, tx, schedule, open)) return null;
    return openGathered(deps, tx, requestFor(open, schedule, now), 1);
  });
  if (!opened) log.info({ date: open.date }, "the schedule was changed while the articles were gathered: not opened");
  else if (!opened.created) {
    log.info({ edition: opened.edition.id, date: editionName(opened.edition) }, "edition was there already");
  }
  return opened?.created ? opened : null;
}

/** Dates with an edition, as far back as the calendar looks, and two days more for both sides of the date line. */
export async function recordedLately(db: Db | Tx, now: Date): Promise<Set<string>> {
  return recordedDates(db, localDate(new Date(now.getTime() - (lookBackDays + 2) * dayMs), "UTC"));
}

/** Whether somebody has left the date out, moved it on, or changed the schedule since `schedule` was read. */
async function changedMeanwhile(
  deps: DueDeps,
  tx: Tx,
  schedule: EffectiveSchedule,
  { date }: DueDate,
): Promise<boolean> {
  const { since, skipped, moved } = await loadSchedule(tx);
  if (since.getTime() !== schedule.since.getTime() || skipped.has(date)) return true;
  return dueAt(date, { ...schedule, ...(moved ? { moved } : {}) }) > deps.clock.now();
}

function requestFor(due: DueDate, schedule: EffectiveSchedule, now: Date): OpenRequest {
  const lateMinutes = Math.floor((now.getTime() - due.dueAt.getTime()) / 60_000);
  return {
    ...due,
    timezone: schedule.timezone,
    sendAt: timeOf(due.date, schedule),
    extra: false,
    ...(lateMinutes >= 10 ? { reason: { code: "sent_late", data: { minutes: lateMinutes } } } : {}),
  };
}
