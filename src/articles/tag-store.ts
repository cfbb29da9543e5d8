import { sql, type RawBuilder } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { tagKey } from "./tags.ts";

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

/**
 * The ids of tags that must be there already, hidden ones too.
 * @throws Refusal 422 naming those that are not
 */
export async function existingTags(db: Db | Tx, names: readonly string[]): Promise<number[]> {
  const { offered, hidden, unknown } = await sortTags(db, names);
  if (unknown.length > 0) throw noSuchTag(unknown);
  return [...new Set([...offered.values(), ...hidden.values()])];
}

/** Sorts names into offered tags, hidden tags and unknown names. */
export async function sortTags(
  db: Db | Tx,
  names: readonly string[],
): Promise<{ offered: Map<string, number>; hidden: Map<string, number>; unknown: string[] }> {
  const found = await findKeys(db, names.map(tagKey));
  const sorted = { offered: new Map<string, number>(), hidden: new Map<string, number>(), unknown: [] as string[] };
  for (const name of names) {
    const tag = found.get(tagKey(name));
    if (tag) (tag.hidden ? sorted.hidden : sorted.offered).set(name, tag.id);
    else sorted.unknown.push(name);
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

/** The tags that are not hidden, by name, with how many articles had each since `since`. */
export async function listTags(db: Db, since: Date): Promise<TagCount[]> {
  return db
    .selectFrom("tags")
    .leftJoin("article_tags", "article_tags.tag_id", "tags.id")
    .leftJoin("articles", (join) =>
      join.onRef("articles.id", "=", "article_tags.article_id").on("articles.first_seen_at", ">=", since),
    )
    .select(["tags.id", "tags.name", (eb) => eb.fn.count<number>("articles.id").as("articles")])
    .where("tags.hidden_at", "is", null)
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
): Promise<Map<string, { id: number; hidden: boolean }>> {
  if (keys.length === 0) return new Map();
  const { rows } = await sql<{ key: string; id: number; hidden: boolean }>`
    select key, id, hidden_at is not null as hidden from tags where key = any(${keys})
    union all
    select a.key, t.id, t.hidden_at is not null from tag_aliases a join tags t on t.id = a.tag_id
    where a.key = any(${keys})`.execute(db);
  return new Map(rows.map((row) => [row.key, row]));
}
