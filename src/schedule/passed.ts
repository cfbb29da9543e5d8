import { Refusal } from "../base/errors.ts";
import type { Reason } from "../editions/reason.ts";
import { timeOf, type Schedule } from "./calendar.ts";
import { decideDue, sinceAfterChange, type DueDate } from "./decide-due.ts";

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
  since: Date;
  before: Schedule;
  after: Schedule;
  recorded: ReadonlySet<string>;
  catchUpHours: number;
}): Consequence {
  const since = sinceAfterChange(change);
  const { open, missed } = decideDue({ ...change, since, schedule: change.after });
  const passed = [...missed, ...(open ? [open] : [])].map(({ date, dueAt }) => ({ date, dueAt }));
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
