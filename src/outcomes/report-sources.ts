import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { OutcomeSource } from "./store.ts";

/** When the ways in for bounces and complaints have reported something. */
export interface ReportSources {
  /** A way in has reported something. Writes at most once a minute for each of them. */
  note(source: OutcomeSource): Promise<void>;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

const writeEveryMs = 60_000;

export function createReportSources({ db, clock }: { db: Db; clock: Clock }): ReportSources {
  const unwritten = new Map<OutcomeSource, { since: Date; last: Date; reports: number }>();
  const writtenAt = new Map<OutcomeSource, Date>();

  async function write(source: OutcomeSource): Promise<void> {
    const noted = unwritten.get(source);
    if (!noted) return;
    unwritten.delete(source);
    writtenAt.set(source, clock.now());
    await addReports(db, source, noted);
  }

  return {
    async note(source) {
      const now = clock.now();
      const before = unwritten.get(source);
      unwritten.set(source, { since: before?.since ?? now, last: now, reports: (before?.reports ?? 0) + 1 });
      const last = writtenAt.get(source);
      // The clock can be set back.
      if (last === undefined || Math.abs(now.getTime() - last.getTime()) >= writeEveryMs) await write(source);
    },
    async close() {
      for (const source of unwritten.keys()) await write(source);
    },
  };
}

/** Weight of the newest pause in the moving average. */
const weight = 0.2;

async function addReports(
  db: Db,
  source: OutcomeSource,
  { since, last, reports }: { since: Date; last: Date; reports: number },
): Promise<void> {
  const isNewDay = sql`(r.last_at at time zone 'UTC')::date < (excluded.last_at at time zone 'UTC')::date`;
  const pause = sql`extract(epoch from excluded.last_at - r.last_at)`;
  await sql`
    insert into report_sources as r (source, first_at, last_at, reports, days)
    values (${source}, ${since}, ${last}, ${reports}, 1)
    on conflict (source) do update set last_at = greatest(r.last_at, excluded.last_at), reports = r.reports + excluded.reports,
      days = r.days + case when ${isNewDay} then 1 else 0 end,
      usual_pause = case when ${isNewDay} then coalesce(${1 - weight} * r.usual_pause + ${weight} * ${pause}, ${pause})
        else r.usual_pause end`.execute(db);
}

export interface ReportSource {
  source: OutcomeSource;
  firstAt: Date;
  lastAt: Date;
  reports: number;
  /** Days (UTC) with reports. */
  days: number;
  /** Milliseconds between two of them, as a moving average; null until the second one. */
  usualPauseMs: number | null;
}

/** The ways in that have ever reported anything. */
export async function listReportSources(db: Db | Tx): Promise<ReportSource[]> {
  const { rows } = await sql<ReportSource>`
    select source, first_at as "firstAt", last_at as "lastAt", reports::int as reports, days,
      usual_pause * 1000 as "usualPauseMs"
    from report_sources order by source`.execute(db);
  return rows;
}
