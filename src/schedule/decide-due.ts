import { Temporal } from "temporal-polyfill";
import type { Reason } from "../editions/reason.ts";
import { dueAt, isSendDay, localDate, nextSends, timeOf, type Schedule } from "./calendar.ts";

export interface DueInput {
  now: Date;
  /** Dates due at or before this instant are ignored: the start of the publication or of its present schedule. */
  since: Date;
  schedule: Schedule;
  /** Dates that have an edition in any state, missed and empty ones too. */
  recorded: ReadonlySet<string>;
  catchUpHours: number;
}

export interface DueDate {
  date: string;
  dueAt: Date;
}

export interface Decision {
  open: DueDate | null;
  missed: (DueDate & { reason: Reason })[];
}

/** How far back `decideDue` looks, whatever `since` says. Older dates are neither opened nor recorded. */
export const lookBackDays = 60;

const hourMs = 3_600_000;

/**
 * What to do about the dates that came due in (since, now]. The newest is opened if it has no edition and is at most
 * `catchUpHours` late. Every other one without an edition is missed, with the reason: after an outage readers get one
 * email, never a burst of old ones. Once the answer is recorded, the next one is empty.
 */
export function decideDue(input: DueInput): Decision {
  const { now, schedule, recorded } = input;
  const due = dueDates(input);
  const newest = due.at(-1);
  const inTime = newest !== undefined && now.getTime() - newest.dueAt.getTime() <= input.catchUpHours * hourMs;
  const open = inTime && !recorded.has(newest.date) ? newest : null;
  const missed = due
    .filter((one) => one !== open && !recorded.has(one.date))
    .map((one) => ({ ...one, reason: missedReason(one, now, schedule) }));
  return { open, missed };
}

/**
 * The `since` to keep with a changed schedule. Readers were promised the next date of the schedule `before`, and any of
 * it that came due and is not recorded yet; if the new time of such a date has passed, it is due at once instead of
 * never. A date that only the new schedule has is not: a day added after its time begins a week later.
 */
export function sinceAfterChange(
  change: Omit<DueInput, "schedule" | "catchUpHours"> & { before: Schedule; after: Schedule },
): Date {
  const { now, since, recorded, before, after } = change;
  const promised = [...dueDates({ now, since, schedule: before }), ...nextSends(now, before, 1)];
  const first = promised.find(({ date }) => !recorded.has(date) && isSendDay(date, after));
  return first ? new Date(Math.min(now.getTime(), dueAt(first.date, after).getTime() - 1)) : now;
}

/** Send days without regard to editions, oldest first. */
function dueDates({ now, since, schedule }: Pick<DueInput, "now" | "since" | "schedule">): DueDate[] {
  const after = Math.max(since.getTime(), now.getTime() - lookBackDays * 24 * hourMs);
  // Once the clock shows a date, every date before it has been due. But a clock that goes back over midnight has shown
  // the next date already (St John's, 2010), and what was due then is due.
  let date = Temporal.PlainDate.from(localDate(new Date(after), schedule.timezone));
  const last = Temporal.PlainDate.from(localDate(now, schedule.timezone)).add({ days: 1 });
  const due: DueDate[] = [];
  for (; Temporal.PlainDate.compare(date, last) <= 0; date = date.add({ days: 1 })) {
    const one = { date: date.toString(), dueAt: dueAt(date.toString(), schedule) };
    const inWindow = one.dueAt.getTime() > after && one.dueAt <= now;
    if (inWindow && isSendDay(one.date, schedule)) due.push(one);
  }
  return due;
}

function missedReason({ date, dueAt: at }: DueDate, now: Date, schedule: Schedule): Reason {
  const hours = Math.floor((now.getTime() - at.getTime()) / hourMs);
  return {
    code: "missed_service_down",
    data: { sendAt: timeOf(date, schedule), timezone: schedule.timezone, hours },
  };
}
