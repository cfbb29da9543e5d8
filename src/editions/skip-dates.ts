import { Refusal } from "../base/errors.ts";
import { dueAt, localDate, timeOf } from "../schedule/calendar.ts";
import { decideDue } from "../schedule/decide-due.ts";
import { writeAudit } from "../audit/audit.ts";
import { skipDate, unskipDate, type EffectiveSchedule } from "../schedule/store.ts";
import { inTurn, type TurnDeps } from "./schedule-turn.ts";

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
function isPending(date: string, change: Parameters<typeof checkSkip>[0]): boolean {
  const { open, missed } = decideDue({ ...change, since: change.schedule.since });
  return open?.date === date || missed.some((one) => one.date === date);
}
