/** How a new sender warms up, as the settings say. */
export interface WarmUpPlan {
  /** The first local date, `2026-11-24`; null for no warm-up. */
  warmupStart: string | null;
  /** Most readers of each provider on the first, second, … day. After the last day there is no cap. Never decreasing. */
  warmupSchedule: readonly number[];
  /** Each provider gets its emails of an edition over so many hours. */
  warmupHours: number;
}

export interface WarmUpDay {
  /** 1 on the first day. */
  day: number;
  /** Most readers of each provider on this day. */
  cap: number;
}

/** What the warm-up did to an edition. */
export interface EditionWarmUp extends WarmUpDay {
  /** Selected readers who don't get it, because their provider has had its share of the day. */
  leftOut: number;
}

/** How many of an edition's selected readers get it. */
export function recipientsOf(selected: number, warmUp: EditionWarmUp | null): number {
  return selected - (warmUp?.leftOut ?? 0);
}

/**
 * The day of the warm-up that a local date is. Only days on which emails were sent count, so that the volume never grows by
 * more than a step: mailbox providers judge a sender by what it sent before, and not by the calendar.
 * @param sentDays dates before it, from the start on, with an edition that was sent
 * @returns null when the date has no cap: there is no warm-up, it has not started, or it is over
 */
export function warmUpDay(
  { warmupStart, warmupSchedule }: WarmUpPlan,
  date: string,
  sentDays: number,
): WarmUpDay | null {
  const cap = warmupSchedule[sentDays];
  if (warmupStart === null || date < warmupStart || cap === undefined) return null;
  return { day: sentDays + 1, cap };
}

/** What the days of a warm-up are expected to allow: `cap` is null once there is none. */
export interface PlannedDay {
  date: string;
  cap: number | null;
}

/**
 * The days from one day of the warm-up on, to the first one without a cap.
 * @param dates the day's own date and the send dates after it, as many as there are
 */
export function plannedDays(
  { warmupSchedule }: WarmUpPlan,
  { day }: WarmUpDay,
  dates: readonly string[],
): PlannedDay[] {
  const caps = [...warmupSchedule.slice(day - 1), null];
  return caps.slice(0, dates.length).map((cap, index) => ({ date: dates[index]!, cap }));
}

/** The first of the planned days that has room for so many readers of a provider; null if none is known. */
export function servedFrom(planned: readonly PlannedDay[], readers: number): string | null {
  return planned.find(({ cap }) => cap === null || cap >= readers)?.date ?? null;
}
