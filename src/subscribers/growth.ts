import { sql } from "kysely";
import type { Db } from "../db/schema.ts";

export interface Growth {
  /** Readers who confirmed, and readers who left or were taken off, in the last `days` days. */
  days: number;
  gained: number;
  lost: number;
}

const dayMs = 24 * 3_600_000;

/** Readers won and lost over some spans of time; erased ones are no longer known. */
export async function growth(db: Db, now: Date, spans: readonly number[] = [1, 7, 30]): Promise<Growth[]> {
  const since = (days: number): Date => new Date(now.getTime() - days * dayMs);
  const { rows } = await sql<{ confirmed: number[]; left: number[] }>`
    select array[${sql.join(spans.map((days) => sql`count(*) filter (where confirmed_at > ${since(days)}::timestamptz)::int`))}] as confirmed,
      array[${sql.join(spans.map((days) => sql`count(*) filter (where left_at > ${since(days)}::timestamptz)::int`))}] as left
    from subscribers where confirmed_at is not null`.execute(db);
  return spans.map((days, i) => ({ days, gained: rows[0]!.confirmed[i]!, lost: rows[0]!.left[i]! }));
}
