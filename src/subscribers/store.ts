import { sql } from "kysely";
import { joinTag } from "../articles/tag-store.ts";
import type { Db, SubscriberStatus, Tx } from "../db/schema.ts";

export interface Subscriber {
  id: number;
  key: Buffer;
  address: string;
  status: SubscriberStatus;
  allTags: boolean;
  /** Names, in alphabetical order. */
  tags: string[];
  /** The hidden ones among them, which select no articles. */
  hiddenTags: string[];
  /** Delivery time zone; null is the publication's. */
  timezone: string | null;
  /** Editions frozen before this time leave the reader out. */
  pausedUntil: Date | null;
  createdAt: Date;
  confirmedAt: Date | null;
  leftAt: Date | null;
}

/** Reads both lists of tags in one lookup, because every page of a reader uses this query. */
const readers = sql`
  select s.id, s.key, s.address, s.status, s.all_tags as "allTags", s.timezone, s.paused_until as "pausedUntil",
    s.created_at as "createdAt", s.confirmed_at as "confirmedAt", s.left_at as "leftAt", f.tags, f."hiddenTags"
  from subscribers s, lateral (
    select coalesce(array_agg(t.name order by t.key), '{}') as tags,
      coalesce(array_agg(t.name order by t.key) filter (where t.hidden_at is not null), '{}') as "hiddenTags"
    from subscriber_tags st ${joinTag.st} where st.subscriber_id = s.id
  ) f`;

/** A page of subscribers by id. @param after the last id of the page before, 0 for the first */
export async function listSubscribers(
  db: Db,
  page: { after: number; limit: number; status?: SubscriberStatus },
): Promise<Subscriber[]> {
  const { rows } = await sql<Subscriber>`
    ${readers}
    where s.id > ${page.after} and (${page.status ?? null}::text is null or s.status = ${page.status ?? null})
    order by s.id limit ${page.limit}`.execute(db);
  return rows;
}

export async function findSubscriber(db: Db | Tx, id: number): Promise<Subscriber | null> {
  const { rows } = await sql<Subscriber>`${readers} where s.id = ${id}`.execute(db);
  return rows[0] ?? null;
}

/** In the order of the keys; null for an unknown key. */
export async function findByKeys(db: Db, keys: readonly Buffer[]): Promise<(Subscriber | null)[]> {
  const { rows } = await sql<Subscriber>`${readers} where s.key = any(${keys}::bytea[])`.execute(db);
  return keys.map((key) => rows.find((row) => row.key.equals(key)) ?? null);
}

export async function findByAddress(db: Db | Tx, addressKey: string): Promise<Subscriber | null> {
  const { rows } = await sql<Subscriber>`${readers} where s.address_key = ${addressKey}`.execute(db);
  return rows[0] ?? null;
}

export async function countByStatus(db: Db): Promise<Record<SubscriberStatus, number>> {
  const rows = await db
    .selectFrom("subscribers")
    .select(["status", (eb) => eb.fn.countAll<number>().as("count")])
    .groupBy("status")
    .execute();
  const counts = { pending: 0, active: 0, unsubscribed: 0, suppressed: 0 };
  for (const row of rows) counts[row.status] = row.count;
  return counts;
}

/** Locks the reader with an address until the transaction ends. @returns whether there is one */
export async function lockReader(tx: Tx, addressKey: string): Promise<boolean> {
  const found = tx.selectFrom("subscribers").select("id").where("address_key", "=", addressKey).forUpdate();
  return (await found.executeTakeFirst()) !== undefined;
}
