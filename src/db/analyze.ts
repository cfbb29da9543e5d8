import { sql } from "kysely";
import type { Db, Schema } from "./schema.ts";

/** Rows written since each table was analysed here. */
const written = new WeakMap<Db, Map<string, number>>();

/** As autovacuum's threshold and scale factor. */
const fewRows = 200;
const share = 0.1;

/**
 * Refreshes the statistics of tables of which a tenth has changed, and 200 rows at least. PostgreSQL's autovacuum does so
 * within minutes; the embedded engine has none, and apart from this only retention analyses its tables, once a day.
 * @param rows about how many rows of each table were written by the caller, in a transaction that has ended
 */
export async function analyzeAfter(db: Db, rows: { [table in keyof Schema]?: number }): Promise<void> {
  const counts = written.get(db) ?? new Map<string, number>();
  written.set(db, counts);
  for (const [table, more] of Object.entries(rows)) counts.set(table, (counts.get(table) ?? 0) + more);
  const many = Object.keys(rows).filter((table) => counts.get(table)! >= fewRows);
  if (many.length === 0) return;
  const { rows: sizes } = await sql<{ name: string; size: number }>`
    select relname as name, greatest(reltuples, 0)::float8 as size from pg_class
    where relnamespace = 'public'::regnamespace and relname = any(${many})`.execute(db);
  for (const { name, size } of sizes) {
    if (counts.get(name)! < fewRows + share * size) continue;
    counts.set(name, 0);
    await sql`analyze ${sql.table(name)}`.execute(db);
  }
}
