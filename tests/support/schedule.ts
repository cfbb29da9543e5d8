import { Temporal } from "temporal-polyfill";
import type { Schedule } from "../../src/schedule/calendar.ts";
import { nextEdition, type NextEdition } from "../../src/schedule/next-edition.ts";

/** Where the clocks have changed at midnight, so that a day began at 01:00. */
export const midnightZones = ["Africa/Cairo", "Asia/Beirut", "America/Santiago", "America/Havana"];

/** Every day at 07:00, unless said otherwise. */
export function scheduleOf(timezone: string, sendAt = "07:00", more: Partial<Schedule> = {}): Schedule {
  return { timezone, sendAt, sendDays: [1, 2, 3, 4, 5, 6, 7], skipped: new Set(), ...more };
}

/** What `nextEdition` says of the dates that came due. */
export function dueBy(input: {
  now: Date;
  since: Date;
  schedule: Schedule;
  recorded: ReadonlySet<string>;
  catchUpHours: number;
}): Pick<NextEdition, "open" | "missed"> {
  const { now, since, schedule, recorded } = input;
  const { open, missed } = nextEdition(now, { ...schedule, since }, recorded, input);
  return { open, missed };
}

/** So many days after a date, both "YYYY-MM-DD". */
export function plus(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}
