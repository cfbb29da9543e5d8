import { sql, type RawBuilder } from "kysely";
import type { Db, Schema } from "./schema.ts";

/** A text without email addresses, as `withoutAddress` makes it: for the relay's replies to erased readers. */
export function withoutAddresses(reply: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`regexp_replace(${reply}, '[^\\s<>"]+@[^\\s<>"]+', '<address>', 'g')`;
}

/** Rows written since this process last analysed each table. */
const written = new WeakMap<Db, Map<string, number>>();

/** The same rule as autovacuum_analyze_threshold and autovacuum_analyze_scale_factor. */
const fewRows = 200;
const share = 0.1;

/**
 * Runs ANALYZE on tables after a tenth of their rows, and at least 200, have changed since the last time. PostgreSQL's
 * autovacuum does this within minutes. The embedded engine has no autovacuum: without this, only retention does it once a day.
 * @param rows about how many rows of each table the caller has written and committed
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
