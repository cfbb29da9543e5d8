import { Temporal } from "temporal-polyfill";
import { echo, invalid, Refusal } from "./errors.ts";

const dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/**
 * The name of an IANA time zone in its standard spelling: "europe/berlin" gives "Europe/Berlin". An offset such as
 * "+02:00" is refused, because it has no daylight saving time. Throws a 422 Refusal.
 */
export function parseTimezone(raw: string): string {
  const refusal = (): Refusal => new Refusal(422, "timezone_invalid", { zone: echo(raw) });
  const name = raw.trim();
  if (!/^[a-z][a-z0-9_+\-/]*$/i.test(name)) throw refusal();
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    throw refusal();
  }
}

/** A local time of day as "HH:MM"; "7:05" gives "07:05". Throws a 422 Refusal. */
export function parseSendAt(raw: string): string {
  const match = /^(\d{1,2}):(\d{2})$/.exec(raw.trim());
  if (!match || Number(match[1]) > 23 || Number(match[2]) > 59) {
    throw invalid("time_invalid", raw);
  }
  return raw.trim().padStart(5, "0");
}

/**
 * The days of a week as sorted ISO 8601 weekday numbers, 1 for Monday to 7 for Sunday, from "mon-fri", "mon,wed,fri" or
 * a mixture; a range can cross the end of the week ("sat-mon"). Throws a 422 Refusal.
 */
export function parseSendDays(raw: string): number[] {
  const days = raw
    .toLowerCase()
    .split(",")
    .flatMap((part) => rangeOf(part.trim()) ?? refuseDays(raw));
  return [...new Set(days)].toSorted((a, b) => a - b);
}

function rangeOf(part: string): number[] | null {
  const [first = "", last = first, ...rest] = part.split("-").map((name) => name.trim());
  const start = dayNames.indexOf(first);
  const end = dayNames.indexOf(last);
  if (start < 0 || end < 0 || rest.length > 0) return null;
  const length = ((end - start + 7) % 7) + 1;
  return Array.from({ length }, (_, step) => ((start + step) % 7) + 1);
}

function refuseDays(raw: string): never {
  throw invalid("days_invalid", raw);
}

/** Days in the form of SEND_DAYS, one by one: "mon,tue,wed". */
export function writeSendDays(days: readonly number[]): string {
  return days.map((day) => dayNames[day - 1]).join(",");
}

/** Days. */
const longestRange = 366;

/**
 * Dates in the given order, separated by commas, semicolons or spaces. `2026-12-24..2026-12-26` stands for each date
 * from the first to the last. Throws a 422 Refusal.
 */
export function parseDates(raw: string): string[] {
  const parts = raw
    .replaceAll(/(?<!\s)\s*\.\.\s*/g, "..")
    .split(/[\s,;]+/)
    .filter((part) => part !== "");
  if (parts.length === 0) throw new Refusal(422, "date_missing");
  return parts.flatMap((part) => (part.includes("..") ? datesOfRange(part) : parseDate(part)));
}

function datesOfRange(raw: string): string[] {
  const [first = "", last = "", ...rest] = raw.split("..");
  const start = Temporal.PlainDate.from(parseDate(first));
  const { days } = start.until(Temporal.PlainDate.from(parseDate(last)));
  if (rest.length > 0 || days < 0 || days >= longestRange) {
    throw invalid("date_range_invalid", raw);
  }
  return Array.from({ length: days + 1 }, (_, n) => start.add({ days: n }).toString());
}

/** A date that exists in the calendar, as "YYYY-MM-DD". Throws a 422 Refusal. */
export function parseDate(raw: string): string {
  const refusal = invalid("date_invalid", raw);
  const date = raw.trim();
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) throw refusal;
  try {
    return Temporal.PlainDate.from(date).toString();
  } catch {
    throw refusal;
  }
}
