import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Db, SubscriberStatus, Tx } from "../db/schema.ts";
import { addOwnAct, addVouchedConsents, type VouchedConsent } from "./consents.ts";

export interface Subscriber {
  id: number;
  key: Buffer;
  address: string;
  status: SubscriberStatus;
  allTags: boolean;
  /** Names, in alphabetical order. */
  tags: string[];
  /** Those of them that are hidden, and bring nothing until they are shown again. */
  hiddenTags: string[];
  /** Delivery time zone; null is the publication's. */
  timezone: string | null;
  /** Gets no edition that is frozen before this instant. */
  pausedUntil: Date | null;
  createdAt: Date;
  confirmedAt: Date | null;
  leftAt: Date | null;
}

/** One look at a reader's tags for both lists: this is read for every page of a reader. */
const readers = sql`
  select s.id, s.key, s.address, s.status, s.all_tags as "allTags", s.timezone, s.paused_until as "pausedUntil",
    s.created_at as "createdAt", s.confirmed_at as "confirmedAt", s.left_at as "leftAt", f.tags, f."hiddenTags"
  from subscribers s, lateral (
    select coalesce(array_agg(t.name order by t.key), '{}') as tags,
      coalesce(array_agg(t.name order by t.key) filter (where t.hidden_at is not null), '{}') as "hiddenTags"
    from subscriber_tags st join tags t on t.id = st.tag_id where st.subscriber_id = s.id
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

/** Whether anybody would get an edition. */
export async function hasReaders(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom("subscribers")
    .select("id")
    .where("status", "=", "active")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** In the order of the keys; null for a key that nobody has. */
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

export interface NewSubscriber {
  address: string;
  addressKey: string;
  status: "pending" | "active";
  allTags: boolean;
  tagIds: readonly number[];
  /** IANA name; without it the publication's. */
  timezone?: string | null;
  confirmedAt: Date | null;
  consent: VouchedConsent["consent"];
}

/**
 * Puts new subscribers in, with tags and consent records; those whose address is there already are left out.
 * @returns the address keys that were new
 */
export async function insertSubscribers(tx: Tx, news: readonly NewSubscriber[], now: Date): Promise<Set<string>> {
  if (news.length === 0) return new Set();
  const inserted = await tx
    .insertInto("subscribers")
    .values(
      news.map((one) => ({
        key: randomBytes(16),
        address: one.address,
        address_key: one.addressKey,
        status: one.status,
        all_tags: one.allTags,
        timezone: one.timezone ?? null,
        created_at: now,
        confirmed_at: one.confirmedAt,
      })),
    )
    .onConflict((conflict) => conflict.column("address_key").doNothing())
    .returning(["id", "address_key"])
    .execute();
  const ids = new Map(inserted.map((row) => [row.address_key, row.id]));
  const added = news.filter((one) => ids.has(one.addressKey));
  await addSubscriberTags(
    tx,
    added.map((one) => ({ id: ids.get(one.addressKey)!, tagIds: one.tagIds })),
  );
  await addVouchedConsents(
    tx,
    added.map((one) => ({ ...one, subscriberId: ids.get(one.addressKey)! })),
    now,
  );
  return new Set(ids.keys());
}

/** A row for an address that has not said yes; what it asked for is in its consents. @returns the id, new or not */
export async function insertPending(tx: Tx, one: { address: string; addressKey: string }, now: Date): Promise<number> {
  const { id } = await tx
    .insertInto("subscribers")
    .values({
      key: randomBytes(16),
      address: one.address,
      address_key: one.addressKey,
      status: "pending",
      created_at: now,
    })
    .onConflict((conflict) => conflict.column("address_key").doUpdateSet({ address_key: one.addressKey }))
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/** Adds tags to those each has. @returns how many were new */
export async function addSubscriberTags(
  tx: Tx,
  rows: readonly { id: number; tagIds: readonly number[] }[],
): Promise<number> {
  const pairs = rows.flatMap(({ id, tagIds }) => tagIds.map((tagId) => ({ id, tagId })));
  if (pairs.length === 0) return 0;
  const { numAffectedRows } = await sql`
    insert into subscriber_tags (subscriber_id, tag_id)
    select given.* from unnest(
      ${pairs.map((pair) => pair.id)}::bigint[], ${pairs.map((pair) => pair.tagId)}::int[]
    ) as given(subscriber_id, tag_id)
    -- A tag that was merged since it was chosen is there no more.
    where exists (select 1 from tags where tags.id = given.tag_id)
    on conflict do nothing`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Makes these the reader's tags, and no others but the hidden ones that they follow: a reader who chooses from what is
 * offered says nothing about those.
 */
export async function setTags(
  db: Db,
  id: number,
  { allTags, tagIds }: { allTags: boolean; tagIds: readonly number[] },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: number }>`
      select t.id from subscriber_tags st join tags t on t.id = st.tag_id
      where st.subscriber_id = ${id} and t.hidden_at is not null`.execute(tx);
    await replaceTags(tx, id, { allTags, tagIds: [...tagIds, ...rows.map((row) => row.id)] });
  });
}

/** Makes these the reader's tags, and no others. */
export async function replaceTags(
  tx: Tx,
  id: number,
  choice: { allTags: boolean; tagIds: readonly number[] },
): Promise<void> {
  await tx.updateTable("subscribers").set({ all_tags: choice.allTags }).where("id", "=", id).execute();
  await tx.deleteFrom("subscriber_tags").where("subscriber_id", "=", id).execute();
  await addSubscriberTags(tx, [{ id, tagIds: choice.tagIds }]);
}

/** At once and for good, until the reader comes back by their own act. Safe to repeat. @returns whether it changed anything */
export async function unsubscribe(db: Db, id: number, now: Date): Promise<boolean> {
  const result = await db
    .updateTable("subscribers")
    // A suppressed reader stays suppressed; but should that be taken back, they have left.
    .set({ status: sql`case when status = 'suppressed' then status else 'unsubscribed' end`, left_at: now })
    .where("id", "=", id)
    .where("status", "<>", "unsubscribed")
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/**
 * Undoes an unsubscribing by the same reader, with a record of it; a suppressed address stays so.
 * @param act.from the client's network address
 * @returns whether they are back
 */
export async function rejoin(db: Db, id: number, act: { now: Date; from: string | null }): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const result = await tx
      .updateTable("subscribers")
      .set({ status: "active", left_at: null })
      .where("id", "=", id)
      .where("status", "=", "unsubscribed")
      .where("confirmed_at", "is not", null)
      .executeTakeFirst();
    if (result.numUpdatedRows === 0n) return false;
    await addOwnAct(tx, (await findSubscriber(tx, id))!, {
      method: "undo of unsubscribing",
      requestedAt: act.now,
      requestedFrom: act.from,
      confirmedAt: act.now,
      confirmedFrom: act.from,
    });
    return true;
  });
}
