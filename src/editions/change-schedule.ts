import type { Log } from "../base/log.ts";
import { reasonOf, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { type DueDeps, openDue, recordedLately } from "./due.ts";
import { recordMissed } from "./open.ts";
import { scheduleChanges, writeAudit, lastActor } from "../audit/audit.ts";
import type { Queues } from "../queue/queues.ts";
import { setSchedules } from "../schedule/schedulers.ts";
import {
  type Consequence,
  consequenceOf,
  demandChoice,
  nextEdition,
  type PassedChoice,
  passedReason,
} from "../schedule/next-edition.ts";
import {
  type EffectiveSchedule,
  loadSchedule,
  moveDate,
  revisionOf,
  saveSchedule,
  type ScheduleChange,
  type ScheduleDefaults,
  settingsDiffer,
  skipDate,
  unskipDate,
} from "../schedule/store.ts";
import { wakeAfter } from "./state.ts";
import { dueAt, isSendDay, localDate, nextSends, type Schedule, timeOf } from "../schedule/calendar.ts";
import { lockOpening } from "./store.ts";
import type { Wake } from "../queue/contract.ts";

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
    await adopt(deps, turn, { actor: "settings", passed: "either", before: turn.schedule, change });
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
    deps.log.warn({ reason: reasonOf(error) }, "queue could not be reached, so the recover job will start what is due");
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
    passed?: PassedChoice | "either" | undefined;
    before: EffectiveSchedule;
    change: ScheduleChange;
  },
): Promise<void> {
  const { actor, before, change, passed } = request;
  await saveSchedule(tx, change, options, before.since);
  const after = await loadSchedule(tx);
  const { catchUpHours } = options;
  const consequence = consequenceOf({ now, recorded, before, after, catchUpHours });
  if (passed !== "either") demandChoice(consequence, after, passed);
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

/**
 * Sends the edition of one date at another time of that date; the schedule stays as it is. What is due by the present
 * time is sent first, and a time that has passed is refused, so that a move never sends by surprise.
 * @param request.sendAt local "HH:MM"; null for the schedule's own time again
 * @param request.revision of the schedule that the move was made from; without it, that of now
 * @throws Refusal 409 when the date has its edition, or somebody has changed the schedule meanwhile; 422 for a date
 * without one or a time that has passed
 */
export async function changeMove(
  deps: DueDeps & TurnDeps,
  request: { date: string; sendAt: string | null; actor: string; revision?: string | undefined },
): Promise<EffectiveSchedule> {
  const { date, sendAt, actor } = request;
  const before = await loadSchedule(deps.db);
  const opened = await openDue(deps, before);
  if (opened) await deps.wake("render-edition", { editionId: opened.edition.id });
  return inTurn(deps, async (turn) => {
    const { tx, now, schedule, recorded } = turn;
    await refuseOutdated(turn, request.revision ?? revisionOf(before));
    checkMove({ date, sendAt, now, schedule, recorded });
    await moveDate(tx, date, sendAt, now);
    await writeAudit(tx, { at: now, actor, action: "schedule move", subject: date, detail: { sendAt } });
  });
}

export function checkMove(move: {
  date: string;
  sendAt: string | null;
  now: Date;
  schedule: Schedule;
  recorded: ReadonlySet<string>;
}): void {
  const { date, now, schedule, recorded } = move;
  if (recorded.has(date)) throw new Refusal(409, "date_has_edition", { date });
  if (date < localDate(now, schedule.timezone)) throw new Refusal(422, "date_passed", { date });
  if (!isSendDay(date, schedule)) throw new Refusal(422, "date_not_scheduled", { date });
  const moved = new Map(schedule.moved);
  if (move.sendAt === null) moved.delete(date);
  else moved.set(date, move.sendAt);
  const after = { ...schedule, moved };
  if (dueAt(date, after) > now) return;
  const time = `${timeOf(date, after)} (${schedule.timezone})`;
  throw new Refusal(422, "delivery_time_passed", { date, time });
}

/** The holidays of more than a year. */
const mostDates = 400;

/**
 * Takes dates out of the schedule, such as the holidays of a year, or puts them back: all of them, or none. Neither
 * makes an edition come or go that was due already.
 * @throws Refusal 409 when a date has its edition, 422 when it has passed, or when there are more than 400
 */
export async function changeSkips(
  deps: TurnDeps,
  request: { dates: readonly string[]; skip: boolean; actor: string },
): Promise<EffectiveSchedule> {
  const { skip, actor } = request;
  const dates = [...new Set(request.dates)];
  if (dates.length > mostDates) throw new Refusal(422, "too_many_dates", { count: dates.length, most: mostDates });
  return inTurn(deps, async ({ tx, now, schedule, recorded }) => {
    for (const date of dates) {
      checkSkip({ date, skip, now, schedule, recorded, catchUpHours: deps.options.catchUpHours });
      if (schedule.skipped.has(date) === skip) continue;
      if (skip) await skipDate(tx, date, now);
      else await unskipDate(tx, date);
      await writeAudit(tx, { at: now, actor, action: skip ? "schedule skip" : "schedule unskip", subject: date });
    }
  });
}

export function checkSkip(change: {
  date: string;
  skip: boolean;
  now: Date;
  schedule: EffectiveSchedule;
  recorded: ReadonlySet<string>;
  catchUpHours: number;
}): void {
  const { date, skip, now, schedule, recorded } = change;
  if (recorded.has(date)) {
    throw new Refusal(409, "date_has_edition", { date });
  }
  if (date < localDate(now, schedule.timezone) && !(skip && isPending(date, change))) {
    throw new Refusal(422, "date_passed", { date });
  }
  if (skip || !schedule.skipped.has(date) || dueAt(date, schedule) > now) return;
  const time = `${timeOf(date, schedule)} (${schedule.timezone})`;
  throw new Refusal(422, "skipped_date_due", { date, time });
}

/** Due, but not opened yet. After a backup is restored, operators skip the dates that were sent after it was made. */
function isPending(date: string, { now, schedule, recorded, catchUpHours }: Parameters<typeof checkSkip>[0]): boolean {
  const { open, missed } = nextEdition(now, schedule, recorded, { catchUpHours });
  return open?.date === date || missed.some((one) => one.date === date);
}

export type TurnDeps = Pick<DueDeps, "db" | "clock" | "options"> & { wake: Wake };

/** What a change can rely on: no node changes the schedule or opens an edition until it is done. */
export interface Turn {
  tx: Tx;
  now: Date;
  schedule: EffectiveSchedule;
  /** Dates with an edition. */
  recorded: ReadonlySet<string>;
}

/** Twice the interval of the recovery job, which asks again. */
const horizonMs = 120_000;

/** Makes a change of the schedule, one at a time, whole or not at all. @returns the schedule after it */
async function inTurn(deps: TurnDeps, change: (turn: Turn) => Promise<void>): Promise<EffectiveSchedule> {
  const after = await deps.db.transaction().execute(async (tx) => {
    await lockOpening(tx);
    const now = deps.clock.now();
    const schedule = await loadSchedule(tx);
    await change({ tx, now, schedule, recorded: await recordedLately(tx, now) });
    return loadSchedule(tx);
  });
  await lookAhead(deps, after);
  return after;
}

/**
 * Queues a job for the instant of the next send when that is near. The scheduler's cron pattern does not know moved dates
 * and skips whole days whose midnight does not exist.
 */
export async function lookAhead({ clock, wake }: Pick<TurnDeps, "clock" | "wake">, schedule: EffectiveSchedule) {
  const now = clock.now();
  const [next] = nextSends(now, schedule, 1);
  if (next && next.at.getTime() - now.getTime() <= horizonMs) await wake("open-edition", {}, { at: next.at, now });
}

/**
 * Refuses a change that was made from an outdated schedule, so that nobody overwrites what they have not seen.
 * @param seen the revision of the schedule that the change was made from
 * @throws Refusal 409 naming who changed it since
 */
async function refuseOutdated({ tx, schedule }: Turn, seen: string): Promise<void> {
  if (revisionOf(schedule) === seen) return;
  throw new Refusal(409, "schedule_changed", { actor: await lastActor(tx, scheduleChanges) });
}
