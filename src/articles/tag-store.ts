import { sql } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { lockArticles } from "./store.ts";
import { cleanTag, tagKey } from "./tags.ts";

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
    const id = found.get(key) ?? (create ? await makeTag(tx, now, key, name) : undefined);
    if (id === undefined) continue;
    found.set(key, id);
    ids.set(name, id);
  }
  return ids;
}

/**
 * The ids of tags that must be there already.
 * @throws Refusal 422 naming those that are not
 */
export async function existingTags(db: Db | Tx, names: readonly string[]): Promise<number[]> {
  const found = await findKeys(db, names.map(tagKey));
  const unknown = names.filter((name) => !found.has(tagKey(name)));
  if (unknown.length > 0) {
    const shown = unknown.map((name) => JSON.stringify(name)).join(", ");
    throw new Refusal(422, `No article has ever had the tag ${shown}: see the tags with \`dayletter articles list\`.`, {
      unknown,
    });
  }
  return [...new Set(names.map((name) => found.get(tagKey(name))!))];
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

/** All tags by name, with how many articles had each since `since`. */
export async function listTags(db: Db, since: Date): Promise<TagCount[]> {
  return db
    .selectFrom("tags")
    .leftJoin("article_tags", "article_tags.tag_id", "tags.id")
    .leftJoin("articles", (join) =>
      join.onRef("articles.id", "=", "article_tags.article_id").on("articles.first_seen_at", ">=", since),
    )
    .select(["tags.id", "tags.name", (eb) => eb.fn.count<number>("articles.id").as("articles")])
    .groupBy(["tags.id", "tags.name", "tags.key"])
    .orderBy("tags.key")
    .execute();
}

/**
 * Makes one tag of two: articles and readers of `from` move to `into`, and `from` stays as an alias, so that feeds that
 * go on using it are understood. @throws Refusal 404 or 422
 */
export async function mergeTags(db: Db, from: string, into: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockArticles(tx);
    const [fromId] = await existingTags(tx, [from]);
    const [intoId] = await existingTags(tx, [into]);
    if (fromId === intoId)
      throw new Refusal(422, `${JSON.stringify(from)} and ${JSON.stringify(into)} are one tag already.`);
    // Waits for readers who are being added with it at this moment: deleting the tag would take it from them.
    const { key, name } = await tx
      .selectFrom("tags")
      .select(["key", "name"])
      .where("id", "=", fromId!)
      .forUpdate()
      .executeTakeFirstOrThrow();
    for (const table of ["article_tags", "subscriber_tags"] as const) {
      const owner = table === "article_tags" ? sql.ref("article_id") : sql.ref("subscriber_id");
      await sql`
        update ${sql.table(table)} t set tag_id = ${intoId} where tag_id = ${fromId} and not exists (
          select 1 from ${sql.table(table)} o where o.tag_id = ${intoId} and o.${owner} = t.${owner}
        )`.execute(tx);
    }
    await tx.updateTable("tag_aliases").set({ tag_id: intoId! }).where("tag_id", "=", fromId!).execute();
    await tx.deleteFrom("tags").where("id", "=", fromId!).execute();
    await tx.insertInto("tag_aliases").values({ key, name, tag_id: intoId! }).execute();
  });
}

/** Another spelling of a tag. @throws Refusal 409 when the spelling is a tag or an alias of its own, 422 when empty */
export async function addAlias(db: Db, alias: string, tag: string): Promise<void> {
  const name = cleanTag(alias);
  if (name === null) throw new Refusal(422, `${JSON.stringify(alias)} is not a tag: expected 1 to 60 characters.`);
  await db.transaction().execute(async (tx) => {
    await lockArticles(tx);
    const [tagId] = await existingTags(tx, [tag]);
    const taken = (await findKeys(tx, [tagKey(name)])).get(tagKey(name));
    if (taken === tagId) return;
    if (taken !== undefined)
      throw new Refusal(409, `${JSON.stringify(name)} is in use already: merge the two tags instead.`);
    await tx
      .insertInto("tag_aliases")
      .values({ key: tagKey(name), name, tag_id: tagId! })
      .execute();
  });
}

async function findKeys(db: Db | Tx, keys: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ key: string; id: number }>`
    select key, id from tags where key = any(${keys})
    union all
    select key, tag_id from tag_aliases where key = any(${keys})`.execute(db);
  return new Map(rows.map((row) => [row.key, row.id]));
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
