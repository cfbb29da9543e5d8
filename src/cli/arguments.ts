import { wrongValue } from "../base/errors.ts";
import { roles } from "../operators/roles.ts";
import { parseDate } from "../base/schedule-values.ts";
import { argument } from "./failure.ts";

/** `--tag a --tag b`. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

export const idArgument = argument((raw) => {
  if (/^[1-9]\d{0,9}$/.test(raw)) return Number(raw);
  throw wrongValue(raw, "an id; expected a whole number from the list");
});

export const dateArgument = argument(parseDate);

/** `2026-11-24`, or `2026-11-24.2` for the second edition of that date. */
export const editionArgument = argument((raw) => {
  const match = /^([^.]*)(?:\.([1-9]\d{0,3}))?$/.exec(raw);
  if (!match) throw wrongValue(raw, "an edition; expected a date such as 2026-11-24, or 2026-11-24.2");
  const date = parseDate(match[1]!);
  return match[2] === undefined || match[2] === "1" ? date : `${date}.${match[2]}`;
});

export const limitArgument = argument((raw) => {
  const value = Number(raw);
  if (/^\d+$/.test(raw) && value >= 1 && value <= 1_000) return value;
  throw wrongValue(raw, "a whole number from 1 to 1000");
});

export const daysArgument = argument((raw) => {
  const value = Number(raw);
  if (/^\d+$/.test(raw) && value >= 1 && value <= 3_650) return value;
  throw wrongValue(raw, "a number of days from 1 to 3650");
});

export const roleArgument = argument((raw) => {
  const role = roles.find((one) => one === raw);
  if (role) return role;
  throw wrongValue(raw, `a role; expected ${roles.join(", ")}`);
});

export const urlArgument = argument((raw) => {
  if (/^https?:\/\/[^\s/]/i.test(raw) && URL.canParse(raw)) return new URL(raw).href;
  throw wrongValue(raw, "the address of a feed; expected http:// or https://");
});

/** `--rename from=to`. */
export function collectRenames(raw: string, before: Record<string, string> = {}): Record<string, string> {
  const at = raw.indexOf("=");
  const pair = argument((text) => {
    if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)] as const;
    throw wrongValue(text, "a renaming; expected OLD=NEW");
  })(raw);
  return { ...before, [pair[0]]: pair[1] };
}
