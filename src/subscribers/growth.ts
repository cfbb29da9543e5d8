import { sql } from "kysely";
import type { Db } from "../db/schema.ts";

export interface Growth {
  /** Readers who confirmed, and readers who left or were suppressed, in the last `days` days. */
  days: number;
  gained: number;
  lost: number;
}

const dayMs = 24 * 3_600_000;

/** Readers gained and lost over several periods, without erased ones. */
export async function growth(db: Db, now: Date, spans: readonly number[] = [1, 7, 30]): Promise<Growth[]> {
  const since = (days: number): Date => new Date(now.getTime() - days * dayMs);
  const { rows } = await sql<{ confirmed: number[]; left: number[] }>`
    select array[${sql.join(spans.map((days) => sql`count(*) filter (where confirmed_at > ${since(days)}::timestamptz)::int`))}] as confirmed,
      array[${sql.join(spans.map((days) => sql`count(*) filter (where left_at > ${since(days)}::timestamptz)::int`))}] as left
    from subscribers where confirmed_at is not null`.execute(db);
  return spans.map((days, i) => ({ days, gained: rows[0]!.confirmed[i]!, lost: rows[0]!.left[i]! }));
}

export interface DayOfReaders {
  /** Local date. */
  date: string;
  gained: number;
  lost: number;
}

/** Readers gained and lost on each local date in `timezone` since `from`. Dates without changes are missing. */
export async function dailyGrowth(db: Db, from: Date, timezone: string): Promise<DayOfReaders[]> {
  const { rows } = await sql<DayOfReaders>`
    select to_char(at at time zone ${timezone}, 'YYYY-MM-DD') as date,
      count(*) filter (where step = 1)::int as gained, count(*) filter (where step = -1)::int as lost
    from (
      select confirmed_at as at, 1 as step from subscribers where confirmed_at >= ${from}
      union all
      select left_at, -1 from subscribers where left_at >= ${from} and confirmed_at is not null
    ) changes
    group by 1 order by 1`.execute(db);
  return rows;
}
