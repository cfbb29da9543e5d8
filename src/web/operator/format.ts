import { formatDate } from "../../base/dates.ts";
import { englishWording } from "../../texts/catalogue.ts";

const { say } = englishWording();

/** A formatted whole number, such as `4,812`. */
export function number(n: number): string {
  return n.toLocaleString("en");
}

/** A duration, such as `12 minutes`, `16 hours` or `3 days`. */
export function span(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes < 1) return say("span.less");
  if (minutes < 90) return say("span.minutes", { n: minutes });
  const hours = Math.round(minutes / 60);
  return hours < 48 ? say("span.hours", { n: hours }) : say("span.days", { n: Math.round(hours / 24) });
}

/** `07:00`, in the time zone `zone`. */
function timeOfDay(at: Date, zone: string, language: string): string {
  return formatDate(at, language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
}

/** `Wednesday 25 November`, in the time zone `zone`. */
export function dayOf(at: Date, zone: string, language: string): string {
  return formatDate(at, language, { weekday: "long", day: "numeric", month: "long", timeZone: zone });
}

/** `24 Nov, 07:00`, for lists. */
export function shortMoment(at: Date, zone: string, language: string): string {
  const day = formatDate(at, language, { day: "numeric", month: "short", timeZone: zone });
  return `${day}, ${timeOfDay(at, zone, language)}`;
}

/** `24 Nov` for a local date, for tables. */
export function shortDate(date: string, language: string): string {
  return formatDate(new Date(`${date}T00:00:00Z`), language, { day: "numeric", month: "short", timeZone: "UTC" });
}

/** An instant in the publication's time zone, with the ISO time that the script needs to add the operator's own. */
export function moment(
  at: Date,
  zone: string,
  language: string,
): { iso: string; day: string; time: string; short: string } {
  return {
    iso: at.toISOString(),
    day: dayOf(at, zone, language),
    time: timeOfDay(at, zone, language),
    short: shortMoment(at, zone, language),
  };
}

/** The checkboxes of a schedule's weekdays, Monday first. @param on 1 for Monday to 7 for Sunday */
export function weekdays(language: string, on: readonly number[]): { name: string; label: string; on: boolean }[] {
  return ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map((name, i) => {
    const label = formatDate(new Date(Date.UTC(2026, 5, 1 + i)), language, { weekday: "long", timeZone: "UTC" });
    return { name, label, on: on.includes(i + 1) };
  });
}

/** An instant to the minute, such as `2026-11-24 07:00 UTC`. */
export function utcMinute(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
