import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import type { Db } from "../db/schema.ts";
import { parseTimezone } from "../base/schedule-values.ts";

const longestPauseMs = 366 * 24 * 3_600_000;

/**
 * Pauses a reader: editions frozen before `until` leave them out. null ends the pause.
 * @throws Refusal 422 for a time in the past or more than a year away, 404 when there is no such reader
 */
export async function pauseReader(deps: { db: Db; clock: Clock }, id: number, until: Date | null): Promise<void> {
  const now = deps.clock.now().getTime();
  const at = until?.getTime();
  if (at !== undefined && !(at > now && at <= now + longestPauseMs)) {
    throw new Refusal(422, "pause_invalid");
  }
  await change(deps.db, id, { paused_until: until });
}

/**
 * Sets a reader's delivery time zone; null is the publication's.
 * @throws Refusal 422 for a wrong zone, 404 when there is no such reader
 */
export async function setReaderTimezone(deps: { db: Db }, id: number, timezone: string | null): Promise<void> {
  await change(deps.db, id, { timezone: timezone === null || timezone === "" ? null : parseTimezone(timezone) });
}

async function change(
  db: Db,
  id: number,
  values: { paused_until: Date | null } | { timezone: string | null },
): Promise<void> {
  const result = await db.updateTable("subscribers").set(values).where("id", "=", id).executeTakeFirst();
  if (result.numUpdatedRows === 0n) throw noSuchReader(id);
}

export function noSuchReader(id: number): Refusal {
  return new Refusal(404, "subscriber_not_found", { id });
}
