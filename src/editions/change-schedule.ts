import type { Log } from "../base/log.ts";
import { reasonOf } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { openDue, type DueDeps } from "./due.ts";
import { recordMissed } from "./open.ts";
import { writeAudit } from "../audit/audit.ts";
import type { Queues } from "../queue/queues.ts";
import { setSchedules } from "../schedule/schedulers.ts";
import { consequenceOf, demandChoice, passedReason, type Consequence, type PassedChoice } from "../schedule/passed.ts";
import { revisionOf } from "../schedule/revision.ts";
import {
  loadSchedule,
  saveSchedule,
  settingsDiffer,
  skipDate,
  type EffectiveSchedule,
  type ScheduleChange,
  type ScheduleDefaults,
} from "../schedule/store.ts";
import { wakeAfter } from "./state.ts";
import { inTurn, refuseOutdated, type Turn, type TurnDeps } from "./schedule-turn.ts";

export interface ScheduleDeps extends DueDeps, TurnDeps {
  queues: Queues;
  options: DueDeps["options"] & ScheduleDefaults;
}

export interface ScheduleRequest {
  actor: string;
  /** What is to become of a date whose new time has passed already. */
  passed?: PassedChoice | undefined;
  /** Of the schedule that the change was made from; without it, that of now. */
  revision?: string | undefined;
}

/**
 * Changes the hour, the days or the zone, on every node at once. What was due by the old schedule is opened or recorded
 * first; a date that the old schedule had promised is neither lost nor doubled by the change.
 * @throws Refusal 409 when somebody else has changed it meanwhile, or when a promised date's new time has passed and
 * `passed` does not say what is to become of it
 */
export async function changeSchedule(
  deps: ScheduleDeps,
  change: ScheduleChange,
  request: ScheduleRequest,
): Promise<EffectiveSchedule> {
  const before = await loadSchedule(deps.db);
  await openWhatWasDue(deps, before);
  const schedule = await inTurn(deps, async (turn) => {
    await refuseOutdated(turn, request.revision ?? revisionOf(before));
    await adopt(deps, turn, { ...request, before: turn.schedule, change });
  });
  await moveScheduler(deps, schedule);
  // The new hour of today's edition may have passed already.
  await deps.wake("open-edition", {});
  return schedule;
}

/** Notices at start that this node's settings name another schedule than the one in force, and changes to it in the same way. */
export async function adoptSettings(deps: ScheduleDeps): Promise<boolean> {
  const { db, options } = deps;
  if (!(await settingsDiffer(db, options))) return false;
  await openWhatWasDue(deps, await loadSchedule(db));
  let adopted = false;
  await inTurn(deps, async (turn) => {
    const change = await settingsDiffer(turn.tx, options);
    if (!change) return;
    await adopt(deps, turn, { actor: "settings", passed: "as it can", before: turn.schedule, change });
    adopted = true;
  });
  return adopted;
}

/** Moves the queue's scheduler to the schedule; of two changes at once the later one's stays. A queue that is away is no error. */
async function moveScheduler(deps: { db: Db; queues: Queues; log: Log }, changed: EffectiveSchedule): Promise<void> {
  try {
    for (let schedule = changed; ;) {
      await setSchedules(deps.queues, schedule);
      const present = await loadSchedule(deps.db);
      if (revisionOf(present) === revisionOf(schedule)) return;
      schedule = present;
    }
  } catch (error) {
    deps.log.warn({ reason: reasonOf(error) }, "queue could not be reached, recover will see to what is due");
  }
}

async function openWhatWasDue(deps: ScheduleDeps, schedule: EffectiveSchedule): Promise<void> {
  const opened = await openDue(deps, schedule);
  if (opened) await wakeAfter(deps.wake, "open", { id: opened.edition.id, from: null });
}

async function adopt(
  { options }: ScheduleDeps,
  { tx, now, recorded }: Turn,
  request: {
    actor: string;
    passed?: PassedChoice | "as it can" | undefined;
    before: EffectiveSchedule;
    change: ScheduleChange;
  },
): Promise<void> {
  const { actor, before, change, passed } = request;
  await saveSchedule(tx, change, options, before.since);
  const after = await loadSchedule(tx);
  const { catchUpHours } = options;
  const consequence = consequenceOf({ now, since: before.since, recorded, before, after, catchUpHours });
  if (passed !== "as it can") demandChoice(consequence, after, passed);
  await saveSchedule(tx, {}, options, consequence.since);
  await writeAudit(tx, { at: now, actor, action: "schedule set", subject: "schedule", detail: { ...change, passed } });
  if (passed === "skip") await leaveOut(tx, consequence, { actor, now });
  else await recordOthers(tx, consequence, { after, now });
}

async function leaveOut(tx: Tx, { passed }: Consequence, { actor, now }: { actor: string; now: Date }): Promise<void> {
  for (const { date } of passed) {
    await skipDate(tx, date, now);
    await writeAudit(tx, { at: now, actor, action: "schedule skip", subject: date });
  }
}

/** Of several dates that have passed by the new schedule one is sent, and the others have their reason. */
async function recordOthers(
  tx: Tx,
  { passed, sendable }: Consequence,
  { after, now }: { after: EffectiveSchedule; now: Date },
): Promise<void> {
  for (const one of passed.filter(({ date }) => date !== sendable)) {
    await recordMissed(tx, { ...one, timezone: after.timezone, reason: passedReason(one, after), now });
  }
}
