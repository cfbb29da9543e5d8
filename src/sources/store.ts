import type { Selectable, Updateable } from "kysely";
import { Refusal, type StoredReason } from "../base/errors.ts";
import type { Db, Schema, Tx } from "../db/schema.ts";

export type Source = Selectable<Schema["sources"]>;

/** Why a feed could not be read, and until when its server asked not to be contacted. */
export type ReadError = StoredReason & { waitUntil?: string };

/** How a source is read. */
export interface SourceOptions {
  /** IANA name, for dates without a zone; null for the publication's. */
  timezone: string | null;
  /** Whether one category holds several tags, separated by commas. */
  splitTags: boolean;
}

export const defaultOptions: SourceOptions = { timezone: null, splitTags: false };

/** What is stored for a source's options, and back. */
const toColumns = ({ timezone, splitTags }: SourceOptions) => ({ timezone, split_tags: splitTags });

export function optionsOf({ timezone, split_tags: splitTags }: Source): SourceOptions {
  return { timezone, splitTags };
}

/** A source is unhealthy after this many consecutive failures. */
export const unhealthyAfter = 3;

export async function listSources(db: Db): Promise<Source[]> {
  return db.selectFrom("sources").selectAll().orderBy("id").execute();
}

/** Feeds that are due for a poll. */
export async function dueFeeds(db: Db, now: Date): Promise<number[]> {
  return ids(selectFeeds(db).where("next_check_at", "<=", now));
}

/** Feeds to poll again before an edition is frozen: all but those that asked for a delay with Retry-After. */
export async function feedsToGather(db: Db, now: Date): Promise<number[]> {
  return ids(selectFeeds(db).where((or) => or.or([or("wait_until", "is", null), or("wait_until", "<=", now)])));
}

const selectFeeds = (db: Db) => db.selectFrom("sources").select("id").where("kind", "=", "feed").orderBy("id");

async function ids(query: ReturnType<typeof selectFeeds>): Promise<number[]> {
  return (await query.execute()).map((row) => row.id);
}

/** @throws Refusal 404 */
export async function getSource(db: Db, id: number): Promise<Source> {
  const source = await db.selectFrom("sources").selectAll().where("id", "=", id).executeTakeFirst();
  if (!source) throw noSuchSource(id);
  return source;
}

function noSuchSource(id: number): Refusal {
  return new Refusal(404, "source_not_found", { id });
}

/**
 * Adds feeds. Existing sources are not changed.
 * @returns the ids of the new sources
 */
export async function addFeeds(
  db: Db,
  feeds: readonly ({
    url: string;
    extraTags?: string[];
    renamedTags?: Record<string, string>;
  } & Partial<SourceOptions>)[],
  now: Date,
): Promise<number[]> {
  if (feeds.length === 0) return [];
  const rows = await db
    .insertInto("sources")
    .values(
      feeds.map(({ url, extraTags = [], renamedTags = {}, ...options }) => ({
        kind: "feed" as const,
        url,
        extra_tags: extraTags,
        renamed_tags: JSON.stringify(renamedTags),
        ...toColumns({ ...defaultOptions, ...options }),
        next_check_at: now,
        created_at: now,
      })),
    )
    .onConflict((conflict) => conflict.column("url").doNothing())
    .returning("id")
    .execute();
  return rows.map((row) => row.id);
}

/** The one source of all articles that are posted to the API. */
export async function apiSource(db: Db, now: Date): Promise<Source> {
  const find = db.selectFrom("sources").selectAll().where("kind", "=", "api");
  const present = await find.executeTakeFirst();
  if (present) return present;
  await db
    .insertInto("sources")
    .values({ kind: "api", title: "API", renamed_tags: "{}", next_check_at: now, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return find.executeTakeFirstOrThrow();
}

/** The next poll gets the whole document again. @throws Refusal 404 when it does not exist */
export async function setSourceOptions(tx: Tx, id: number, options: SourceOptions): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable("sources")
    .set({ ...toColumns(options), etag: null, last_modified: null })
    .where("id", "=", id)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw noSuchSource(id);
}

/** @throws Refusal 404 when it does not exist */
export async function deleteSource(tx: Tx, id: number): Promise<void> {
  const { numDeletedRows } = await tx.deleteFrom("sources").where("id", "=", id).executeTakeFirst();
  if (numDeletedRows === 0n) throw noSuchSource(id);
}

/** Reserves the source until `until`, so that two nodes do not poll it at once. Without `force` only if it is due. */
export async function leaseSource(
  db: Db,
  id: number,
  lease: { now: Date; until: Date; force: boolean },
): Promise<Source | undefined> {
  let query = db
    .updateTable("sources")
    .set({ next_check_at: lease.until })
    .where("id", "=", id)
    .where("kind", "=", "feed");
  if (!lease.force) query = query.where("next_check_at", "<=", lease.now);
  return query.returningAll().executeTakeFirst();
}

export async function recordPoll(
  db: Db,
  id: number,
  changes: Partial<Omit<Updateable<Schema["sources"]>, "id" | "renamed_tags">>,
): Promise<void> {
  await db.updateTable("sources").set(changes).where("id", "=", id).execute();
}

/** Stores the target of a permanent redirect, unless another source already has that address. */
export async function moveSource(db: Db, id: number, url: string): Promise<void> {
  await db
    .updateTable("sources")
    .set({ url })
    .where("id", "=", id)
    .where((eb) => eb.not(eb.exists(eb.selectFrom("sources").select("id").where("url", "=", url))))
    .execute();
}
