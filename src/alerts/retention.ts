import { sql } from "kysely";
import { hashReaders } from "../subscribers/suppressed-readers.ts";
import { dropUnfollowed } from "../articles/tag-store.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Database } from "../db/open.ts";
import type { Db } from "../db/schema.ts";
import { dropOldDeliveries, ensurePartitions } from "../deliveries/partitions.ts";
import { keepFinalCounts } from "../editions/store.ts";

const dayMs = 24 * 3_600_000;
/** Stencils are needed for sending only. Sent emails can be rendered again from the snapshot. */
const keepStencilsMs = 30 * dayMs;
/** For backlog and hidden articles that no edition will contain. */
const keepUnsentMs = 400 * dayMs;

/** Addresses that were not confirmed within this time are deleted. */
const keepPendingMs = 7 * dayMs;
/** Questions about a single email come within a few weeks. */
const keepNoticesMs = 30 * dayMs;
/** Counts of mailbox providers, answers of the DNS, and pauses that are over. */
const keepProvidersMs = 30 * dayMs;

export interface RetentionDeps {
  database: Database;
  clock: Clock;
  log: Log;
  options: { keepDeliveriesDays: number; secret: string };
}

/** Deletes expired data. Editions with their counts, and sent content, are kept. */
export async function retain({ database, clock, log, options }: RetentionDeps): Promise<void> {
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
  await dropUnfollowed(db, { before: before(dayMs) });
  await db.deleteFrom("caps").where("expire", "<", clock.now().getTime()).execute();
  await sql`delete from provider_hours where hour < ${before(keepProvidersMs)}`.execute(db);
  await sql`delete from provider_domains where expires_at < ${before(keepProvidersMs)}`.execute(db);
  await sql`delete from providers where state = 'open' and changed_at < ${before(keepProvidersMs)}`.execute(db);
  const readers = await forgetReaders(db, { unconfirmed: before(keepPendingMs), notices: before(keepNoticesMs) });
  await hashReaders(db, options.secret);
  await ensurePartitions(db);
  const deliveriesOf = await dropOldDeliveries(db, before(options.keepDeliveriesDays * dayMs), keepFinalCounts);
  await sql`
    delete from delivery_outcomes o using editions e
    where e.id = o.edition_id and e.final_counts is not null`.execute(db);
  // PostgreSQL servers run autovacuum. The embedded database does not.
  if (database.engine === "embedded") await database.pool.query("vacuum analyze");
  log.info(
    {
      stencils: Number(stencils.numUpdatedRows),
      articles: Number(articles.numAffectedRows ?? 0n),
      readers,
      deliveriesOf,
    },
    "retention finished",
  );
}

/**
 * Deletes subscribers who did not confirm in time. A new request restarts the period. Imported readers are kept, because
 * they have not been asked to confirm yet.
 * @returns the number of deleted subscribers
 */
async function forgetReaders(db: Db, since: { unconfirmed: Date; notices: Date }): Promise<number> {
  const erased = await sql`
    delete from subscribers s where s.status = 'pending' and s.created_at < ${since.unconfirmed} and not exists (
      select 1 from consents c
      where c.subscriber_id = s.id
        and (c.confirmed_at is not null or c.requested_at >= ${since.unconfirmed} or c.method = 'import')
    )`.execute(db);
  // Belongs to a reader who still exists, such as one who unsubscribed and started to sign up again.
  await sql`
    delete from consents
    where key is not null and confirmed_at is null and requested_at < ${since.unconfirmed}`.execute(db);
  await db.deleteFrom("address_changes").where("created_at", "<", since.unconfirmed).execute();
  await sql`
    delete from notices where created_at < ${since.notices} and state not in ('pending', 'sending', 'deferred')
      or subscriber_id is null and created_at < ${since.unconfirmed}`.execute(db);
  return Number(erased.numAffectedRows ?? 0n);
}
