import { sql } from "kysely";
import { joinTag } from "../articles/tag-store.ts";
import type { Db, SubscriberStatus, Tx } from "../db/schema.ts";
import { Refusal } from "../base/errors.ts";
import { parseAnyAddress } from "../base/address.ts";
import type { QuestionCause } from "../db/values.ts";
import { erased, findSuppressed } from "./suppressions.ts";

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
  /** Since when no edition is for the reader, because they did not answer a question, and why they were asked. */
  pausedSince: Date | null;
  pausedFor: QuestionCause | null;
  createdAt: Date;
  confirmedAt: Date | null;
  leftAt: Date | null;
}

/** Reads both lists of tags in one lookup, because every page of a reader uses this query. */
const readers = sql`
  select s.id, s.key, s.address, s.status, s.all_tags as "allTags", s.timezone, s.paused_until as "pausedUntil",
    s.paused_since as "pausedSince", s.paused_for as "pausedFor", s.created_at as "createdAt", s.confirmed_at as "confirmedAt", s.left_at as "leftAt", f.tags, f."hiddenTags"
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

const keyBytes = 16;

/** The id of the reader whose key begins with these bytes, which must be so many that only one can. */
export async function findIdByKeyStart(db: Db, start: Buffer): Promise<number | null> {
  const rest = keyBytes - start.length;
  const row = await db
    .selectFrom("subscribers")
    .select("id")
    .where("key", ">=", Buffer.concat([start, Buffer.alloc(rest, 0)]))
    .where("key", "<=", Buffer.concat([start, Buffer.alloc(rest, 0xff)]))
    .executeTakeFirst();
  return row?.id ?? null;
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

/**
 * The reader with an address.
 * @throws Refusal 422 for a wrong address, 404 when no reader has it, with codes for an erased and a suppressed one
 */
export async function lookUpReader(
  { db, options }: { db: Db; options: { secret: string } },
  raw: string,
): Promise<Subscriber> {
  const { key } = parseAnyAddress(raw);
  const found = await findByAddress(db, key);
  if (found) return found;
  const reason = (await findSuppressed(db, options.secret, [key])).get(key);
  if (reason === undefined) throw new Refusal(404, "address_unknown");
  if (reason === erased) throw new Refusal(404, "address_unknown_erased");
  throw new Refusal(404, "address_unknown_suppressed", { reason });
}

export interface FoundReader {
  id: number;
  address: string;
  status: SubscriberStatus;
  /** They did not answer a question. */
  paused: boolean;
  allTags: boolean;
  tags: number;
  createdAt: Date;
}

/** A page of readers whose address contains `words`, newest first. @param page.before the last id of the previous page */
export async function findReaders(
  db: Db,
  page: { words: string; status?: SubscriberStatus | undefined; before: number | null; limit: number },
): Promise<FoundReader[]> {
  const { words, status = null, before, limit } = page;
  const like = `%${words.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
  const { rows } = await sql<FoundReader>`
    select s.id, s.address, s.status, s.paused_since is not null as paused, s.all_tags as "allTags", s.created_at as "createdAt",
      (select count(*)::int from subscriber_tags st where st.subscriber_id = s.id) as tags
    from subscribers s
    where (${before}::bigint is null or s.id < ${before}) and s.address_key like ${like}
      and (${status}::text is null or s.status = ${status})
    order by s.id desc limit ${limit}`.execute(db);
  return rows;
}

export interface DayOfReaders {
  /** Local date. */
  date: string;
  /** Confirmed. */
  gained: number;
  /** Unsubscribed. */
  left: number;
  /** Suppressed, such as after a bounce: they did not leave. */
  suppressed: number;
}

/** Readers who joined, left or were suppressed on each local date in `timezone` since `from`. Dates without changes are missing. */
export async function dailyGrowth(db: Db, from: Date, timezone: string): Promise<DayOfReaders[]> {
  const { rows } = await sql<DayOfReaders>`
    select to_char(at at time zone ${timezone}, 'YYYY-MM-DD') as date,
      count(*) filter (where step = 'gained')::int as gained, count(*) filter (where step = 'left')::int as left,
      count(*) filter (where step = 'suppressed')::int as suppressed
    from (
      select confirmed_at as at, 'gained' as step from subscribers where confirmed_at >= ${from}
      union all
      select left_at, case when status = 'suppressed' then 'suppressed' else 'left' end from subscribers
      where left_at >= ${from} and confirmed_at is not null
    ) changes
    group by 1 order by 1`.execute(db);
  return rows;
}
