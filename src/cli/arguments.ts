import { roles } from "../operators/roles.ts";
import { parseDate } from "../base/schedule-values.ts";
import { argument, invalidValue } from "./failure.ts";

/** `--tag a --tag b`. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

export function idArgument(raw: string): number {
  if (/^[1-9]\d{0,9}$/.test(raw)) return Number(raw);
  throw invalidValue(raw, "an ID", "Use a number from the list.");
}

export const dateArgument = argument(parseDate);

/** `2026-11-24`, or `2026-11-24.2` for the second edition of that date. */
export const editionArgument = argument((raw) => {
  const match = /^([^.]*)(?:\.([1-9]\d{0,3}))?$/.exec(raw);
  if (!match)
    throw invalidValue(raw, "an edition", "Use a date such as 2026-11-24, or 2026-11-24.2 for an extra edition.");
  const date = parseDate(match[1]!);
  return match[2] === undefined || match[2] === "1" ? date : `${date}.${match[2]}`;
});

export function limitArgument(raw: string): number {
  const value = Number(raw);
  if (/^\d+$/.test(raw) && value >= 1 && value <= 1_000) return value;
  throw invalidValue(raw, "a valid limit", "Use a whole number from 1 to 1000.");
}

export function daysArgument(raw: string): number {
  const value = Number(raw);
  if (/^\d+$/.test(raw) && value >= 1 && value <= 3_650) return value;
  throw invalidValue(raw, "a valid number of days", "Use a whole number from 1 to 3650.");
}

export function waitArgument(raw: string): number {
  const value = Number(raw);
  if (/^\d+$/.test(raw) && value >= 1 && value <= 3_600) return value;
  throw invalidValue(raw, "a valid time", "Use a whole number of seconds from 1 to 3600.");
}

export function roleArgument(raw: string): string {
  const role = roles.find((one) => one === raw);
  if (role) return role;
  throw invalidValue(raw, "a role", `Use ${roles.join(", ")}.`);
}

export function urlArgument(raw: string): string {
  if (/^https?:\/\/[^\s/]/i.test(raw) && URL.canParse(raw)) return new URL(raw).href;
  throw invalidValue(raw, "the URL of a feed", "Use a URL that starts with http:// or https://.");
}

/** `--rename from=to`. */
export function collectRenames(raw: string, before: Record<string, string> = {}): Record<string, string> {
  const at = raw.indexOf("=");
  if (at > 0 && at < raw.length - 1) return { ...before, [raw.slice(0, at)]: raw.slice(at + 1) };
  throw invalidValue(raw, "a pair of tags", "Use OLD=NEW.");
}
