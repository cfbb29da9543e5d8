import { Refusal } from "../base/errors.ts";
import type { EditionName } from "../render/types.ts";
import { parseDate } from "../schedule/settings.ts";

/** Reads `2026-11-24`, or `2026-11-24.2` for an extra edition. Throws a 422 Refusal. */
export function parseEditionName(raw: string): EditionName {
  const [, date = raw, number = "1"] = /^(.*?)(?:\.([1-9]\d{0,3}))?$/.exec(raw) ?? [];
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) {
    throw new Refusal(
      422,
      `${JSON.stringify(raw.slice(0, 60))} is not an edition: expected a form such as 2026-11-24 or 2026-11-24.2.`,
    );
  }
  return { date: parseDate(date), number: Number(number) };
}
