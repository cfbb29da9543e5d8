import { isoMinute } from "../base/dates.ts";
import type { SendAnswer } from "../web/api/answers.ts";

/** A timestamp to the minute with its time zone: `2026-11-24 07:00 Europe/Berlin`. */
export function moment(instant: string | null, timezone = "UTC"): string {
  return instant === null ? "" : isoMinute(new Date(instant), timezone);
}

export function sendLine(send: SendAnswer, timezone: string): string {
  return `${send.date}  ${dueText(send, timezone)}`;
}

/** When an edition is due, with its note. */
export function dueText(send: SendAnswer, timezone: string): string {
  return `${moment(send.at, timezone)}${send.note === null ? "" : `  ${send.note}`}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}
