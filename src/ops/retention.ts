import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Database } from "../db/open.ts";

const dayMs = 24 * 3_600_000;
/** A stencil serves sending only; what was sent can be made again from the snapshot. */
const keepStencilsMs = 30 * dayMs;
/** Backlog and hidden articles that no edition will ever have. */
const keepUnsentMs = 400 * dayMs;

/** Removes what nobody will ask for again. Editions, deliveries and what was sent stay. */
export async function retain({ database, clock, log }: { database: Database; clock: Clock; log: Log }): Promise<void> {
  const { db } = database;
  const before = (ms: number): Date => new Date(clock.now().getTime() - ms);
  const stencils = await db
    .updateTable("editions")
    .set({ stencil: null })
    .where("stencil", "is not", null)
    .where("state", "in", ["finished", "cancelled"])
    .where("closed_at", "<", before(keepStencilsMs))
    .executeTakeFirst();
  const articles = await sql`
    delete from articles where edition_id is null and (backlog or hidden) and first_seen_at < ${before(keepUnsentMs)}
  `.execute(db);
  await sql`delete from caps where expire < ${clock.now().getTime()}`.execute(db);
  // A PostgreSQL server does this by itself; the embedded one has no process for it.
  if (database.engine === "embedded") await database.pool.query("vacuum analyze");
  log.info({ stencils: Number(stencils.numUpdatedRows), articles: Number(articles.numAffectedRows ?? 0n) }, "old data removed");
}
