import { sql, type RawBuilder } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { tagKey } from "./tags.ts";

/**
 * The ids of tags by name as given, aliases followed. Unknown ones are made, spelt as given, or left out with
 * `create: false`.
 */
export async function resolveTags(
  tx: Tx,
  now: Date,
  names: readonly string[],
  { create } = { create: true },
): Promise<Map<string, number>> {
  if (names.length === 0) return new Map();
  const found = await findKeys(tx, names.map(tagKey));
  const ids = new Map<string, number>();
  for (const name of names) {
    const key = tagKey(name);
    const id = found.get(key)?.id ?? (create ? await makeTag(tx, now, key, name) : undefined);
    if (id === undefined) continue;
    found.set(key, { id, hidden: false });
    ids.set(name, id);
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

/** What names of tags lead to, each by the name as given: tags on offer, hidden ones, and none. */
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
  const shown = unknown.map((name) => JSON.stringify(name)).join(", ");
  return new Refusal(422, `No article has ever had the tag ${shown}: see the tags with \`dayletter tags list\`.`, {
    unknown,
  });
}

/** Adds tags behind those the article has. @returns how many were new to it */
export async function addTags(tx: Tx, articleId: number, tagIds: readonly number[]): Promise<number> {
  if (tagIds.length === 0) return 0;
  const { numAffectedRows } = await sql`
    insert into article_tags (article_id, tag_id, position)
    select ${articleId}, tag_id, n + coalesce((select max(position) + 1 from article_tags where article_id = ${articleId}), 0)
    from unnest(${tagIds}::int[]) with ordinality as given(tag_id, n)
    on conflict do nothing`.execute(tx);
  return Number(numAffectedRows ?? 0n);
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

/** Every key that leads to a hidden tag: its own, and those of its aliases. */
export async function hiddenTagKeys(db: Db): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select key from tags where hidden_at is not null
    union all
    select a.key from tag_aliases a join tags t on t.id = a.tag_id where t.hidden_at is not null
    order by key`.execute(db);
  return rows.map(({ key }) => key);
}

/** The names of an article's tags as everybody sees them, hidden ones left out; SQL for a list of columns. */
export function shownTagNames(articleId: RawBuilder<unknown>): RawBuilder<string[]> {
  return sql`array(select t.name from article_tags at join tags t on t.id = at.tag_id
    where at.article_id = ${articleId} and t.hidden_at is null order by at.position)`;
}

async function findKeys(db: Db | Tx, keys: readonly string[]): Promise<Map<string, { id: number; hidden: boolean }>> {
  const { rows } = await sql<{ key: string; id: number; hidden: boolean }>`
    select key, id, hidden_at is not null as hidden from tags where key = any(${keys})
    union all
    select a.key, t.id, t.hidden_at is not null from tag_aliases a join tags t on t.id = a.tag_id
    where a.key = any(${keys})`.execute(db);
  return new Map(rows.map((row) => [row.key, row]));
}

async function makeTag(tx: Tx, now: Date, key: string, name: string): Promise<number> {
  const { id } = await tx
    .insertInto("tags")
    .values({ key, name, created_at: now })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ key }))
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}
