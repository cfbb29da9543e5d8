import { sql } from "kysely";
import type { Db, Schema } from "./schema.ts";

/** Below this, statistics as they are do. */
const manyRows = 200;

/**
 * Lets the planner look at tables after a bulk change. PostgreSQL's autovacuum would do so within minutes, and the embedded
 * engine has none: without statistics, a join of some thousand rows can take seconds.
 * @param rows about how many were written; fewer than 200 change nothing
 */
export async function analyzeAfter(db: Db, tables: readonly (keyof Schema)[], rows: number): Promise<void> {
  if (rows < manyRows) return;
  for (const table of tables) await sql`analyze ${sql.table(table)}`.execute(db);
}
