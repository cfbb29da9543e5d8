/** `1 reader`, `4,812 readers`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

/** A formatted whole number, such as `4,812`. */
export function number(n: number): string {
  return n.toLocaleString("en");
}

/** A duration, such as `12 minutes`, `16 hours` or `3 days`. */
export function span(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes < 1) return "less than a minute";
  if (minutes < 90) return count(minutes, "minute");
  const hours = Math.round(minutes / 60);
  return hours < 48 ? count(hours, "hour") : count(Math.round(hours / 24), "day");
}

/** `07:00`, in the time zone `zone`. */
export function timeOfDay(at: Date, zone: string, language: string): string {
  return format(at, language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
}

/** `Wednesday 25 November`, in the time zone `zone`. */
export function dayOf(at: Date, zone: string, language: string): string {
  return format(at, language, { weekday: "long", day: "numeric", month: "long", timeZone: zone });
}

/** `24 Nov, 07:00`, for lists. */
export function shortMoment(at: Date, zone: string, language: string): string {
  const day = format(at, language, { day: "numeric", month: "short", timeZone: zone });
  return `${day}, ${timeOfDay(at, zone, language)}`;
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

function format(at: Date, language: string, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(language, options).format(at);
}
