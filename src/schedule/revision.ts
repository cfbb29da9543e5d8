import { createHash } from "node:crypto";
import type { Schedule } from "./calendar.ts";

/**
 * Names what a person saw of a schedule (hour, days, zone and moved dates), so that a change made from an old look at it
 * can be told apart. Sixteen hexadecimal digits; the same schedule has the same one.
 */
export function revisionOf({ timezone, sendAt, sendDays, moved }: Schedule): string {
  const dates = [...(moved ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([timezone, sendAt, sendDays.toSorted((a, b) => a - b), dates]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
