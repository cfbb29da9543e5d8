import { invalid } from "./errors.ts";
import type { EditionName } from "../render/types.ts";
import { parseDate } from "./schedule-values.ts";

/** The name of an edition in texts, links and Message-IDs: `2026-11-24`, or `2026-11-24.2` for an extra one. */
export function editionName(edition: { date: string; number: number }): string {
  return edition.number === 1 ? edition.date : `${edition.date}.${edition.number}`;
}

/** The path of its page for operators. */
export function operatorPathOf(edition: { date: string; number: number }): string {
  return `/operator/editions/${editionName(edition)}`;
}

/** Reads `2026-11-24`, or `2026-11-24.2` for an extra edition. @throws Refusal 422 for anything else */
export function parseEditionName(raw: string): EditionName {
  const [, date = raw, number = "1"] = /^(.*?)(?:\.([1-9]\d{0,3}))?$/.exec(raw) ?? [];
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) {
    throw invalid("edition_name_invalid", raw);
  }
  return { date: parseDate(date), number: Number(number) };
}
