import { reasonOf } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import { sinceAfterChange } from "../editions/calendar.ts";
import { openDue, recordedLately, type DueDeps } from "../editions/due.ts";
import { writeAudit } from "../ops/audit.ts";
import type { Wake } from "../queue/contract.ts";
import type { Queues } from "../queue/queues.ts";
import { setSchedules } from "../queue/schedules.ts";
import {
  formerSchedule,
  loadSchedule,
  saveSchedule,
  skipDate,
  type EffectiveSchedule,
  type ScheduleChange,
  type ScheduleDefaults,
} from "./store.ts";

export interface ScheduleDeps extends DueDeps {
  queues: Queues;
  wake: Wake;
  options: DueDeps["options"] & ScheduleDefaults;
}

/**
 * Changes the hour, the days or the zone, on every node at once. What was due by the old schedule is opened or recorded
 * first; a date that the old schedule had promised is neither lost nor doubled by the change.
 */
export async function changeSchedule(
  deps: ScheduleDeps,
  change: ScheduleChange,
  actor: string,
): Promise<EffectiveSchedule> {
  const before = await loadSchedule(deps.db, deps.options);
  const opened = await openDue(deps, before);
  const schedule = await adopt(deps, before, change, actor);
  if (opened) await deps.wake("render-edition", { editionId: opened.edition.id });
  await setSchedules(deps.queues, schedule).catch((error: unknown) => {
    deps.log.warn({ reason: reasonOf(error) }, "queue could not be reached, recover will see to what is due");
  });
  // The new hour of today's edition may have passed already.
  await deps.wake("open-edition", {});
  return schedule;
}

/** Notices at start that the settings name another schedule than before, and changes to it in the same way. */
export async function adoptSettings(deps: ScheduleDeps): Promise<boolean> {
  const former = await formerSchedule(deps.db, await loadSchedule(deps.db, deps.options));
  if (!former) return false;
  const opened = await openDue(deps, former);
  await adopt(deps, former, {}, "settings");
  if (opened) await deps.wake("render-edition", { editionId: opened.edition.id });
  return true;
}

/** Takes a date out of the schedule, or puts it back. */
export async function changeSkip(
  deps: Pick<ScheduleDeps, "db" | "clock" | "options">,
  { date, ...request }: { date: string; skip: boolean; actor: string },
): Promise<EffectiveSchedule> {
  return changeSkips(deps, { ...request, dates: [date] });
}

/** The same for many dates, such as the holidays of a year: all of them, or none. */
export async function changeSkips(
  deps: Pick<ScheduleDeps, "db" | "clock" | "options">,
  request: { dates: readonly string[]; skip: boolean; actor: string },
): Promise<EffectiveSchedule> {
  const now = deps.clock.now();
  const action = request.skip ? "schedule skip" : "schedule unskip";
  await deps.db.transaction().execute(async (tx) => {
    for (const date of new Set(request.dates)) {
      await skipDate(tx, date, request.skip, now);
      await writeAudit(tx, { at: now, actor: request.actor, action, subject: date });
    }
  });
  return loadSchedule(deps.db, deps.options);
}

async function adopt(
  { db, clock, options }: { db: Db } & Pick<ScheduleDeps, "clock" | "options">,
  before: EffectiveSchedule,
  change: ScheduleChange,
  actor: string,
): Promise<EffectiveSchedule> {
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    await saveSchedule(tx, change, options, before.since);
    const after = await loadSchedule(tx, options);
    const recorded = await recordedLately(tx, now);
    await saveSchedule(tx, {}, options, sinceAfterChange({ now, since: before.since, recorded, before, after }));
    await writeAudit(tx, { at: now, actor, action: "schedule set", subject: "schedule", detail: change });
    return loadSchedule(tx, options);
  });
}
