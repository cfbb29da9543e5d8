import { scheduleChanges } from "../audit/audit.ts";
import { lastActor } from "../audit/audit-log.ts";
import { Refusal } from "../base/errors.ts";
import type { Tx } from "../db/schema.ts";
import { nextSends } from "../schedule/calendar.ts";
import { recordedLately, type DueDeps } from "./due.ts";
import { lockOpening } from "./store.ts";
import type { Wake } from "../queue/contract.ts";
import { revisionOf } from "../schedule/revision.ts";
import { loadSchedule, type EffectiveSchedule } from "../schedule/store.ts";

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
export async function inTurn(deps: TurnDeps, change: (turn: Turn) => Promise<void>): Promise<EffectiveSchedule> {
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
export async function refuseOutdated({ tx, schedule }: Turn, seen: string): Promise<void> {
  if (revisionOf(schedule) === seen) return;
  throw new Refusal(409, "schedule_changed", { actor: await lastActor(tx, scheduleChanges) });
}
