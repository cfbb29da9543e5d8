import { type RawBuilder, type Selectable, sql } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Schema, Tx } from "../db/schema.ts";
import { cleanTag, tagKey } from "./tags.ts";

/**
 * Ids of tags by name, aliases included. Unknown tags are created, or left out with `create: false`.
 */
export async function resolveTags(
  tx: Tx,
  now: Date,
  names: readonly string[],
  { create } = { create: true },
): Promise<Map<string, number>> {
  const byKey = new Map<string, string>();
  for (const name of names) if (!byKey.has(tagKey(name))) byKey.set(tagKey(name), name);
  const found = await findKeys(tx, [...byKey.keys()]);
  const missing = [...byKey].filter(([key]) => !found.has(key));
  const made = create ? await makeTags(tx, now, new Map(missing)) : new Map<string, number>();
  const ids = new Map<string, number>();
  for (const name of names) {
    const id = found.get(tagKey(name))?.id ?? made.get(tagKey(name));
    if (id !== undefined) ids.set(name, id);
  }
  return ids;
}

/** Rows that one statement writes. It takes about 10 ms on the embedded engine, which blocks the event loop meanwhile. */
const rowsAtATime = 200;

/** Rows in slices that one statement may write. */
export function* inSlices<T>(rows: readonly T[]): Generator<T[]> {
  for (let from = 0; from < rows.length; from += rowsAtATime) yield rows.slice(from, from + rowsAtATime);
}

/** Creates tags from names by key, none of them an alias. Ids follow the order of `names`. @returns ids by key */
export async function makeTags(tx: Tx, now: Date, names: ReadonlyMap<string, string>): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  for (const some of inSlices([...names])) {
    const { rows } = await sql<{ key: string; id: number }>`
      insert into tags (key, name, created_at)
      select key, name, ${now}
      from unnest(${some.map(([key]) => key)}::text[], ${some.map(([, name]) => name)}::text[]) as t(key, name)
      on conflict (key) do update set key = excluded.key returning key, id`.execute(tx);
    for (const { key, id } of rows) ids.set(key, id);
  }
  return ids;
}

/** Tags that readers follow before their first article, of all readers. */
const mostRequested = 2_000;

/**
 * Ids of tags by name. Unknown ones are created for a reader who follows them before their first article, and left out when
 * there are too many of those. Their revision is below all others, so that caches of the tag list stay.
 */
export async function requestTags(tx: Tx, now: Date, names: readonly string[]): Promise<Map<string, number>> {
  const known = await resolveTags(tx, now, names, { create: false });
  const missing = names.filter((name) => !known.has(name));
  if (missing.length === 0) return known;
  await sql`
    insert into tags (key, name, created_at, requested_at, revision)
    select key, name, ${now}, ${now}, -nextval('tag_revisions')
    from unnest(${missing.map(tagKey)}::text[], ${missing}::text[]) with ordinality as t(key, name, n)
    where n <= ${mostRequested} - (select count(*) from tags where requested_at is not null)
    on conflict (key) do nothing`.execute(tx);
  return resolveTags(tx, now, names, { create: false });
}

/** Offers requested tags that have an article now. */
export async function offerRequested(tx: Tx, tagIds: readonly number[]): Promise<void> {
  await sql`
    update tags set requested_at = null, revision = nextval('tag_revisions')
    where id = any(${tagIds}) and requested_at is not null
      and exists (select 1 from article_tags where tag_id = tags.id)`.execute(tx);
}

/**
 * Deletes requested tags that nobody follows any more.
 * @param only these ids, or those requested before a time
 */
export async function dropUnfollowed(db: Db | Tx, only: { ids: readonly number[] } | { before: Date }): Promise<void> {
  const among = "ids" in only ? sql`id = any(${only.ids})` : sql`requested_at < ${only.before}`;
  await sql`
    delete from tags where id in (
      select id from tags where ${among} and requested_at is not null
        and not exists (select 1 from subscriber_tags where tag_id = tags.id)
        and not exists (select 1 from article_tags where tag_id = tags.id)
      -- One that somebody is about to follow is locked.
      for update skip locked
    )`.execute(db);
}

/**
 * The ids of tags that must be there already, hidden ones too.
 * @throws Refusal 422 naming those that are not
 */
export async function existingTags(db: Db | Tx, names: readonly string[]): Promise<number[]> {
  const { offered, hidden, requested, unknown } = await sortTags(db, names);
  if (unknown.length > 0) throw noSuchTag(unknown);
  return [...new Set([...offered.values(), ...hidden.values(), ...requested.values()])];
}

/** Names by what they are; `requested` are tags that readers follow and no article has had yet. */
export interface SortedTags {
  offered: Map<string, number>;
  hidden: Map<string, number>;
  requested: Map<string, number>;
  unknown: string[];
}

export async function sortTags(db: Db | Tx, names: readonly string[]): Promise<SortedTags> {
  const found = await findKeys(db, names.map(tagKey));
  const sorted: SortedTags = { offered: new Map(), hidden: new Map(), requested: new Map(), unknown: [] };
  for (const name of names) {
    const tag = found.get(tagKey(name));
    if (!tag) sorted.unknown.push(name);
    else sorted[tag.hidden ? "hidden" : tag.requested ? "requested" : "offered"].set(name, tag.id);
  }
  return sorted;
}

export function noSuchTag(unknown: readonly string[]): Refusal {
  const tags = unknown.map((name) => JSON.stringify(name)).join(", ");
  return new Refusal(422, "tag_unknown", { tags, unknown });
}

export interface TagCount {
  id: number;
  name: string;
  articles: number;
}

/** The tags that pages offer, by name, with how many articles had each since `since`. */
export async function listTags(db: Db, since: Date): Promise<TagCount[]> {
  return db
    .selectFrom("tags")
    .leftJoin("article_tags", "article_tags.tag_id", "tags.id")
    .leftJoin("articles", (join) =>
      join.onRef("articles.id", "=", "article_tags.article_id").on("articles.first_seen_at", ">=", since),
    )
    .select(["tags.id", "tags.name", (eb) => eb.fn.count<number>("articles.id").as("articles")])
    .where("tags.hidden_at", "is", null)
    .where("tags.requested_at", "is", null)
    .groupBy(["tags.id", "tags.name", "tags.key"])
    .orderBy("tags.key")
    .execute();
}

/** The keys of all hidden tags and of their aliases. */
export async function hiddenTagKeys(db: Db): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select key from tags where hidden_at is not null
    union all
    select a.key from tag_aliases a join tags t on t.id = a.tag_id where t.hidden_at is not null
    order by key`.execute(db);
  return rows.map(({ key }) => key);
}

/**
 * SQL that joins the tag `t` to each row of `article_tags at` or `subscriber_tags st`. `offset 0` forces a lookup by id. With
 * a plain join and no statistics, the planner reads all tags for each article.
 */
export const joinTag = { at: joinTagOf("at"), st: joinTagOf("st") };

function joinTagOf(alias: string): RawBuilder<unknown> {
  return sql`cross join lateral (select * from tags where id = ${sql.ref(`${alias}.tag_id`)} offset 0) t`;
}

/** SQL for the names of an article's tags, without hidden ones. */
export function shownTagNames(articleId: RawBuilder<unknown>): RawBuilder<string[]> {
  return sql`array(select t.name from article_tags at ${joinTag.at}
    where at.article_id = ${articleId} and t.hidden_at is null order by at.position)`;
}

/** Tags by their keys and the keys of their aliases. */
export async function findKeys(
  db: Db | Tx,
  keys: readonly string[],
): Promise<Map<string, { id: number; hidden: boolean; requested: boolean }>> {
  if (keys.length === 0) return new Map();
  const { rows } = await sql<{ key: string; id: number; hidden: boolean; requested: boolean }>`
    select key, id, hidden_at is not null as hidden, requested_at is not null as requested from tags
    where key = any(${keys})
    union all
    select a.key, t.id, t.hidden_at is not null, t.requested_at is not null from tag_aliases a join tags t on t.id = a.tag_id
    where a.key = any(${keys})`.execute(db);
  return new Map(rows.map((row) => [row.key, row]));
}

export type FoundTag = Selectable<Schema["tags"]>;

/**
 * A tag by its name in any case, or by an alias; hidden tags included.
 * @throws Refusal 422 when there is none, unless `optional`
 */
export async function findTag(db: Db | Tx, name: string): Promise<FoundTag>;
export async function findTag(db: Db | Tx, name: string, options: { optional: true }): Promise<FoundTag | null>;
export async function findTag(db: Db | Tx, name: string, options?: { optional: true }): Promise<FoundTag | null> {
  const key = keyOf(name);
  const { rows } = await sql<FoundTag>`
    select * from tags where key = ${key} or id = (select tag_id from tag_aliases where key = ${key})`.execute(db);
  const [tag] = rows;
  if (!tag && !options?.optional) throw noSuchTag([name]);
  return tag ?? null;
}

/** The key of a tag from its name as typed. */
export function keyOf(typed: string): string {
  return tagKey(cleanTag(typed) ?? typed);
}

/** Changes a tag and its revision, so that caches of the tag list are refreshed. */
export async function changeTag(
  tx: Tx,
  id: number,
  values: Partial<Pick<FoundTag, "key" | "name" | "hidden_at">>,
): Promise<void> {
  await tx
    .updateTable("tags")
    .set({ ...values, revision: sql<number>`nextval('tag_revisions')` })
    .where("id", "=", id)
    .execute();
}

/** The readers and articles that a change of a tag affects. */
export interface TagReach {
  /** Active readers who follow the tag. */
  readers: number;
  /** Those who follow no other shown tag: without it they get no email. */
  onlyThis: number;
  /** Articles with the tag that wait for the next edition. */
  waiting: number;
  /** Those without another shown tag: without it only readers of all news get them. */
  waitingOnly: number;
}

export async function tagReach(db: Db | Tx, tagId: number): Promise<TagReach> {
  const { rows } = await sql<TagReach>`
    select f.*, w.* from (
      select count(*) as readers, count(*) filter (where not s.all_tags and not exists (
        select 1 from subscriber_tags st ${joinTag.st}
        where st.subscriber_id = s.id and st.tag_id <> ${tagId} and t.hidden_at is null)) as "onlyThis"
      from subscriber_tags st join subscribers s on s.id = st.subscriber_id
      where st.tag_id = ${tagId} and s.status = 'active'
    ) f, (
      select count(*) as waiting, count(*) filter (where not exists (
        select 1 from article_tags at ${joinTag.at}
        where at.article_id = a.id and at.tag_id <> ${tagId} and t.hidden_at is null)) as "waitingOnly"
      from article_tags at join articles a on a.id = at.article_id
      where at.tag_id = ${tagId} and a.edition_id is null and not a.hidden and not a.backlog
    ) w`.execute(db);
  return rows[0]!;
}

/** A tag as operators see it. */
export interface ListedTag {
  id: number;
  name: string;
  /** Its other spellings. */
  aliases: string[];
  /** Articles with it since the requested time. */
  articles: number;
  /** Active readers who follow it. */
  readers: number;
  /** null for a tag that is shown. */
  hiddenAt: Date | null;
  /** Changes with each change of the tag. */
  revision: number;
}

/** All tags by name, including hidden ones. @param tagId only this one */
export async function listAllTags(db: Db, since: Date, tagId: number | null = null): Promise<ListedTag[]> {
  const { rows } = await sql<ListedTag>`
    select t.id, t.name, t.hidden_at as "hiddenAt", t.revision,
      coalesce(used.articles, 0) as articles, coalesce(followed.readers, 0) as readers,
      array(select name from tag_aliases a where a.tag_id = t.id order by a.key) as aliases
    from tags t
    left join (
      select at.tag_id, count(*) as articles from article_tags at join articles a on a.id = at.article_id
      where a.first_seen_at >= ${since} group by at.tag_id
    ) used on used.tag_id = t.id
    left join (
      select st.tag_id, count(*) as readers from subscriber_tags st join subscribers s on s.id = st.subscriber_id
      where s.status = 'active' group by st.tag_id
    ) followed on followed.tag_id = t.id
    where ${tagId}::int is null or t.id = ${tagId}
    order by t.key`.execute(db);
  return rows;
}
