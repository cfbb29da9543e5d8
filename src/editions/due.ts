import type { Db, Tx } from "../db/schema.ts";
import { decideDue, localDate, lookBackDays, timeOf } from "./calendar.ts";
import { openEdition, recordMissed, type OpenDeps, type Opened } from "./open.ts";
import { editionName, recordedDates } from "./store.ts";
import type { EffectiveSchedule } from "../schedule/store.ts";

const dayMs = 24 * 3_600_000;

export interface DueDeps extends OpenDeps {
  options: OpenDeps["options"] & { catchUpHours: number };
}

/**
 * Does what the calendar asks for now: opens the edition that is due, writes down those that were missed. Any number of
 * nodes may call it at any time, as often as they like.
 * @returns the edition this call opened, or null
 */
export async function openDue(deps: DueDeps, schedule: EffectiveSchedule): Promise<Opened | null> {
  const { db, clock, log, options } = deps;
  const now = clock.now();
  const recorded = await recordedLately(db, now);
  const decision = decideDue({ now, since: schedule.since, schedule, recorded, catchUpHours: options.catchUpHours });
  for (const missed of decision.missed) {
    if (await recordMissed(db, { ...missed, timezone: schedule.timezone, now })) {
      log.warn({ date: missed.date, reason: missed.reason }, "edition missed");
    }
  }
  if (!decision.open) return null;
  const lateMinutes = Math.floor((now.getTime() - decision.open.dueAt.getTime()) / 60_000);
  const opened = await openEdition(deps, {
    ...decision.open,
    timezone: schedule.timezone,
    sendAt: timeOf(decision.open.date, schedule),
    extra: false,
    ...(lateMinutes >= 10 ? { reason: `Sent ${lateMinutes} minutes late: nothing was running when it was due.` } : {}),
  });
  if (!opened.created)
    log.info({ edition: opened.edition.id, date: editionName(opened.edition) }, "edition was there already");
  return opened.created ? opened : null;
}

/** Dates with an edition, as far back as the calendar looks, and two days more for both sides of the date line. */
export async function recordedLately(db: Db | Tx, now: Date): Promise<Set<string>> {
  return recordedDates(db, localDate(new Date(now.getTime() - (lookBackDays + 2) * dayMs), "UTC"));
}
