import type { Db, Tx } from "../db/schema.ts";
import { type EffectiveSchedule, loadSchedule } from "../schedule/store.ts";
import { dueAt, localDate, timeOf } from "../schedule/calendar.ts";
import { type DueDate, lookBackDays, nextEdition } from "../schedule/next-edition.ts";
import { analyzeOpened, type OpenDeps, type Opened, openGathered, type OpenRequest, recordMissed } from "./open.ts";
import { type Edition, editionsInState, lockOpening, recordedDates } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { Refusal } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { type ActDeps, actOnEdition } from "./operator-actions.ts";
import { moveEdition } from "./state.ts";
import type { HoldOptions } from "./hold.ts";
import { type Reason, reasonColumns } from "../db/edition-reason.ts";

const dayMs = 24 * 3_600_000;

export interface DueDeps extends OpenDeps {
  options: OpenDeps["options"] & { catchUpHours: number };
}

/**
 * Opens the edition that is due and records those that were missed. Any number of nodes can call it at the same time.
 * @param schedule the current schedule, or the previous one just before the settings change it
 * @returns the edition this call opened, or null
 */
export async function openDue(deps: DueDeps, schedule: EffectiveSchedule): Promise<Opened | null> {
  const { db, clock, log, options } = deps;
  const now = clock.now();
  const recorded = await recordedLately(db, now);
  const { open, missed } = nextEdition(now, schedule, recorded, options);
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
  if (!opened)
    log.info({ date: open.date }, "edition not opened, because the schedule changed while articles were gathered");
  else if (!opened.created) {
    log.info({ edition: opened.edition.id, date: editionName(opened.edition) }, "edition already exists");
  }
  if (!opened?.created) return null;
  await analyzeOpened(db, opened.edition);
  return opened;
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

export interface DeadlineDeps extends ActDeps {
  log: Log;
  options: ActDeps["options"] & Pick<HoldOptions, "approval">;
}

/** Sends held editions whose deadline has passed, or keeps them held, as APPROVAL says at that time. */
export async function passDeadlines(deps: DeadlineDeps): Promise<void> {
  const now = deps.clock.now();
  for (const edition of await editionsInState(deps.db, ["held"])) {
    if (edition.approve_by === null || edition.approve_by > now) continue;
    const decide = deps.options.approval === "send" ? send : keep;
    await decide(deps, edition, edition.approve_by);
  }
}

async function send(deps: DeadlineDeps, edition: Edition, deadline: Date): Promise<void> {
  const { id, date, number, timezone } = edition;
  const reason: Reason = { code: "sent_without_approval", data: { deadline: deadline.toISOString(), timezone } };
  try {
    const acted = await actOnEdition(deps, { date, number, action: "approve", actor: "dayletter", reason });
    if (!acted.changed) return;
    deps.log.warn({ edition: id, date: editionName(edition) }, "edition sent at its deadline without approval");
  } catch (error) {
    // An operator decided at the same moment.
    if (!(error instanceof Refusal)) throw error;
  }
}

async function keep({ db, clock, log }: DeadlineDeps, edition: Edition, deadline: Date): Promise<void> {
  const data = { deadline: deadline.toISOString(), timezone: edition.timezone };
  const also = reasonColumns({ code: "not_approved_in_time", data });
  const now = clock.now();
  if (!(await moveEdition(db, { id: edition.id, from: "held", event: "expire-approval", also }, { now }))) return;
  log.warn({ edition: edition.id, date: editionName(edition) }, "edition not approved in time and stays held");
}
