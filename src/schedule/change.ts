import { openDue, type DueDeps } from "../editions/due.ts";
import type { Queues } from "../queue/queues.ts";
import { setSchedules } from "../queue/schedules.ts";
import { writeAudit } from "../ops/audit.ts";
import { loadSchedule, saveSchedule, skipDate, type EffectiveSchedule, type ScheduleChange, type ScheduleDefaults } from "./store.ts";

export interface ScheduleDeps extends DueDeps {
  queues: Queues;
  options: DueDeps["options"] & ScheduleDefaults;
}

/**
 * Changes the hour, the days or the zone. What was due by the old schedule is opened or recorded first, and nothing that
 * would have been due before now becomes due by the change.
 */
export async function changeSchedule(deps: ScheduleDeps, change: ScheduleChange, actor: string): Promise<EffectiveSchedule> {
  const { db, clock, options } = deps;
  await openDue(deps, await loadSchedule(db, options));
  const now = clock.now();
  const schedule = await db.transaction().execute(async (tx) => {
    await saveSchedule(tx, change, options, now);
    await writeAudit(tx, { at: now, actor, action: "schedule set", subject: "schedule", detail: change });
    return loadSchedule(tx, options);
  });
  await setSchedules(deps.queues, schedule);
  return schedule;
}

/** Takes a date out of the schedule, or puts it back. */
export async function changeSkip(
  deps: Pick<ScheduleDeps, "db" | "clock" | "options">,
  request: { date: string; skip: boolean; actor: string },
): Promise<EffectiveSchedule> {
  const now = deps.clock.now();
  await skipDate(deps.db, request.date, request.skip, now);
  const action = request.skip ? "schedule skip" : "schedule unskip";
  await writeAudit(deps.db, { at: now, actor: request.actor, action, subject: request.date });
  return loadSchedule(deps.db, deps.options);
}
