import { Temporal } from "temporal-polyfill";

/** When the publication sends. Dates are "YYYY-MM-DD" in `timezone`, and mean a day of its calendar, never an instant. */
export interface Schedule {
  /** IANA name. */
  timezone: string;
  /** Local "HH:MM". */
  sendAt: string;
  /** ISO 8601 weekday numbers, 1 for Monday to 7 for Sunday. */
  sendDays: readonly number[];
  /** Dates on which the operator wants no edition. */
  skipped: ReadonlySet<string>;
  /** Dates that are sent at another local time, "HH:MM", than `sendAt`. */
  moved?: ReadonlyMap<string, string>;
}

export interface NextSend {
  date: string;
  at: Date;
  notes: SendNote[];
}

/** Why a send is not at the schedule's time: an operator moved it, or a clock change moves it or makes its time happen twice. */
export type SendNote =
  | { code: "moved"; from: string }
  | { code: "clocks_back"; time: string; timezone: string }
  | { code: "clocks_forward"; time: string; timezone: string; at: string };

/** The date that the wall clock of `timezone` shows at `now`. */
export function localDate(now: Date, timezone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(timezone).toPlainDate().toString();
}

/** The first instant of a date in `timezone`. */
export function startOfDate(date: string, timezone: string): Date {
  return new Date(Temporal.PlainDate.from(date).toZonedDateTime(timezone).epochMilliseconds);
}

/** The local "HH:MM" at which the edition of `date` is to be sent. */
export function timeOf(date: string, { moved, sendAt }: Schedule): string {
  return moved?.get(date) ?? sendAt;
}

/**
 * The instant at which the edition of `date` is due: the first one at which the wall clock has reached its time on that
 * date. So a time that the clocks jump over (02:30 on a spring night in Berlin, 00:00 in Cairo, the whole of 30 December
 * 2011 in Apia) is due at the first instant after the gap, and a time that happens twice is due the first time.
 */
export function dueAt(date: string, schedule: Schedule): Date {
  return new Date(resolve(date, schedule).at.epochMilliseconds);
}

/**
 * Whether the schedule sends an edition of `date`: its weekday is on, the operator has not skipped it, and the date
 * happens at all. (Apia crossed the date line and never had 30 December 2011; an edition of it would be a second mail
 * on the 31st.)
 */
export function isSendDay(date: string, schedule: Schedule): boolean {
  const day = Temporal.PlainDate.from(date);
  return (
    schedule.sendDays.includes(day.dayOfWeek) &&
    !schedule.skipped.has(date) &&
    day.toZonedDateTime(schedule.timezone).toPlainDate().equals(day)
  );
}

/**
 * The next `count` sends after `now`, in order; a date that has its edition already is left out by being in
 * `schedule.skipped`. Fewer come back only if the operator has skipped everything for a year.
 */
export function nextSends(now: Date, schedule: Schedule, count: number): NextSend[] {
  const sends: NextSend[] = [];
  // Once the clock shows a date, every date before it has been due.
  const first = Temporal.PlainDate.from(localDate(now, schedule.timezone));
  for (let step = 0; sends.length < count && step < 7 * count + 366; step++) {
    const date = first.add({ days: step }).toString();
    if (!isSendDay(date, schedule)) continue;
    const resolved = resolve(date, schedule);
    const at = new Date(resolved.at.epochMilliseconds);
    if (at > now) sends.push({ date, at, notes: notesOf(date, resolved, schedule) });
  }
  return sends;
}

/**
 * When a mail leaves that its reader wants at the publication's hour on their own clock: the first instant from `due` on
 * at which the wall clock of `timezone` reaches `sendAt`. In the publication's own zone that is `due` itself.
 */
export function ownHour(due: Date, timezone: string, sendAt: string): Date {
  const everyDay: Schedule = { timezone, sendAt, sendDays: [1, 2, 3, 4, 5, 6, 7], skipped: new Set() };
  return nextSends(new Date(due.getTime() - 1), everyDay, 1)[0]!.at;
}

/**
 * The five-field cron pattern of the queue's wake-up, for a scheduler that runs in `schedule.timezone`. It is only a
 * convenience: cron parsers jump over whole days whose midnight does not exist, and `nextEdition` finds those dates.
 */
export function cronPattern(schedule: Schedule): string {
  const [hour, minute] = schedule.sendAt.split(":").map(Number);
  const days = schedule.sendDays.length === 7 ? "*" : schedule.sendDays.map((day) => day % 7).join(",");
  return `${minute} ${hour} * * ${days}`;
}

interface Resolved {
  at: Temporal.ZonedDateTime;
  clock: "plain" | "gap" | "twice";
}

function resolve(date: string, schedule: Schedule): Resolved {
  const { timezone } = schedule;
  const wall = Temporal.PlainDateTime.from(`${date}T${timeOf(date, schedule)}`);
  const earlier = wall.toZonedDateTime(timezone, { disambiguation: "earlier" });
  const later = wall.toZonedDateTime(timezone, { disambiguation: "later" });
  if (earlier.equals(later)) return { at: earlier, clock: "plain" };
  if (earlier.toPlainDateTime().equals(wall)) return { at: earlier, clock: "twice" };
  // In a gap, "earlier" lies before the change by less than the length of the gap, so the next transition is its end.
  return { at: earlier.getTimeZoneTransition("next") ?? later, clock: "gap" };
}

function notesOf(date: string, { at, clock }: Resolved, schedule: Schedule): SendNote[] {
  const time = timeOf(date, schedule);
  const { timezone, sendAt: from } = schedule;
  const moved: SendNote[] = schedule.moved?.has(date) ? [{ code: "moved", from }] : [];
  if (clock === "plain") return moved;
  if (clock === "twice") return [...moved, { code: "clocks_back", time, timezone }];
  const first = at.toPlainTime().toString({ smallestUnit: "minute" });
  return [...moved, { code: "clocks_forward", time, timezone, at: first }];
}
