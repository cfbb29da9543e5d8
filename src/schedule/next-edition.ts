import { Temporal } from "temporal-polyfill";
import type { Reason } from "../db/edition-reason.ts";
import { dueAt, isSendDay, localDate, type NextSend, nextSends, type Schedule, timeOf } from "./calendar.ts";
import { Refusal } from "../base/errors.ts";

export interface DueDate {
  date: string;
  dueAt: Date;
}

/** What the calendar asks for at an instant. */
export interface NextEdition {
  /** The date whose edition is to be opened now. */
  open: DueDate | null;
  /** Dates that came due, have no edition and get none any more, oldest first. */
  missed: (DueDate & { reason: Reason })[];
  /** The sends to come, without dates that have their edition already. */
  sends: NextSend[];
}

/** How far back `nextEdition` looks, whatever `since` says. Older dates are neither opened nor recorded. */
export const lookBackDays = 60;

const hourMs = 3_600_000;

/**
 * Which edition comes next. Of the dates that came due in (since, now], the newest is opened if it has no edition and is at
 * most `catchUpHours` late. Every other one without an edition is missed, with the reason: after an outage readers get one
 * email, never a burst of old ones. Once the answer is recorded, only `sends` is left of it.
 * @param schedule `since`: dates due at or before it are ignored; the start of the publication or of its present schedule
 * @param recorded dates that have an edition in any state, missed and empty ones too
 * @param options.sends how many sends to list
 */
export function nextEdition(
  now: Date,
  schedule: Schedule & { since: Date },
  recorded: ReadonlySet<string>,
  { catchUpHours = Infinity, sends = 1 }: { catchUpHours?: number; sends?: number } = {},
): NextEdition {
  const due = dueDates(now, schedule);
  const newest = due.at(-1);
  const inTime = newest !== undefined && now.getTime() - newest.dueAt.getTime() <= catchUpHours * hourMs;
  const open = inTime && !recorded.has(newest.date) ? newest : null;
  const missed = due
    .filter((one) => one !== open && !recorded.has(one.date))
    .map((one) => ({ ...one, reason: missedReason(one, now, schedule) }));
  const ahead = { ...schedule, skipped: new Set([...schedule.skipped, ...recorded]) };
  return { open, missed, sends: nextSends(now, ahead, sends) };
}

/**
 * The `since` to keep with a changed schedule. Readers were promised the next date of the schedule `before`, and any of
 * it that came due and is not recorded yet; if the new time of such a date has passed, it is due at once instead of
 * never. A date that only the new schedule has is not: a day added after its time begins a week later.
 */
export function sinceAfterChange(change: {
  now: Date;
  before: Schedule & { since: Date };
  after: Schedule;
  recorded: ReadonlySet<string>;
}): Date {
  const { now, recorded, before, after } = change;
  const promised = [...dueDates(now, before), ...nextSends(now, before, 1)];
  const first = promised.find(({ date }) => !recorded.has(date) && isSendDay(date, after));
  return first ? new Date(Math.min(now.getTime(), dueAt(first.date, after).getTime() - 1)) : now;
}

/** Send days without regard to editions, oldest first. */
function dueDates(now: Date, schedule: Schedule & { since: Date }): DueDate[] {
  const after = Math.max(schedule.since.getTime(), now.getTime() - lookBackDays * 24 * hourMs);
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

/** What a changed schedule does to the dates that the one before had promised. */
export interface Consequence {
  /** To be kept with the new schedule. */
  since: Date;
  /** Promised dates without an edition whose new time has passed already, oldest first. */
  passed: DueDate[];
  /** The one of them that could still be sent: the newest, if it is not too late. */
  sendable: string | null;
}

/** What is to become of the passed dates: sent at once, or left out. */
export type PassedChoice = "send" | "skip";

export function consequenceOf(change: {
  now: Date;
  before: Schedule & { since: Date };
  after: Schedule;
  recorded: ReadonlySet<string>;
  catchUpHours: number;
}): Consequence {
  const since = sinceAfterChange(change);
  const { now, after, recorded } = change;
  const { open, missed } = nextEdition(now, { ...after, since }, recorded, change);
  const passed = [...missed, ...(open ? [open] : [])].map((one) => ({ date: one.date, dueAt: one.dueAt }));
  return { since, passed: passed.toSorted((a, b) => (a.date < b.date ? -1 : 1)), sendable: open?.date ?? null };
}

/** @throws Refusal 409 when a date has passed by the new schedule and nobody has said what is to become of it */
export function demandChoice({ passed, sendable }: Consequence, after: Schedule, choice?: PassedChoice): void {
  const last = passed.at(-1);
  if (!last || choice === "skip" || (choice === "send" && sendable !== null)) return;
  const { date } = last;
  const time = `${timeOf(date, after)} (${after.timezone})`;
  if (sendable === null) throw new Refusal(409, "passed_date_too_old", { date, time, sendable: false });
  throw new Refusal(409, "passed_date_undecided", { date, time, sendable: true });
}

/** Why a passed date has no edition, when it was not left out. */
export function passedReason({ date }: DueDate, after: Schedule): Reason {
  return { code: "missed_schedule_changed", data: { sendAt: timeOf(date, after), timezone: after.timezone } };
}
