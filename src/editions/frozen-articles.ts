import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { EditionArticle } from "../render/types.ts";

export type FrozenArticle = EditionArticle & { id: number };

/** The frozen articles, newest first, as they were when the edition was frozen. */
export async function frozenArticles(db: Db | Tx, editionId: number): Promise<EditionArticle[]> {
  return (await frozenWithIds(db, editionId)).map(({ id: _id, ...article }) => article);
}

/** The same with the ids of the articles. */
export async function frozenWithIds(db: Db | Tx, editionId: number): Promise<FrozenArticle[]> {
  const rows = await db
    .selectFrom("edition_articles")
    .select(["article_id", "position", "snapshot"])
    .where("edition_id", "=", editionId)
    .orderBy("position")
    .execute();
  return rows.map(({ article_id: id, position, snapshot }) => ({
    ...(snapshot as Omit<EditionArticle, "position">),
    position,
    id,
  }));
}

/** The articles' ids, in the order of their positions. */
export async function frozenArticleIds(db: Db | Tx, editionId: number): Promise<number[]> {
  const query = db.selectFrom("edition_articles").select("article_id").where("edition_id", "=", editionId);
  return (await query.orderBy("position").execute()).map((row) => row.article_id);
}

/** What was left out of it while it was held, and can be taken in again. */
export async function leftOutArticles(
  db: Db,
  editionId: number,
): Promise<(Omit<EditionArticle, "position"> & { id: number })[]> {
  const rows = await db
    .selectFrom("left_out_articles as l")
    .innerJoin("articles as a", "a.id", "l.article_id")
    .select(["l.article_id", "l.snapshot"])
    .where("l.edition_id", "=", editionId)
    .where("a.edition_id", "is", null)
    .where("a.hidden", "=", false)
    .orderBy("l.article_id", "desc")
    .execute();
  return rows.map((row) => ({ ...(row.snapshot as Omit<EditionArticle, "position">), id: row.article_id }));
}

/** The first articles of each edition, by its id, as they were frozen. @param most of one edition */
export async function firstArticles(
  db: Db,
  editions: readonly { id: number }[],
  most: number,
): Promise<Map<number, EditionArticle[]>> {
  const ids = editions.map(({ id }) => id);
  const { rows } = await sql<{ edition_id: number; position: number; snapshot: Omit<EditionArticle, "position"> }>`
    select edition_id, position, snapshot from edition_articles
    where edition_id = any(${ids}) and position < ${most} order by edition_id, position`.execute(db);
  const found = new Map<number, EditionArticle[]>(ids.map((id) => [id, []]));
  for (const { edition_id, position, snapshot } of rows) found.get(edition_id)?.push({ ...snapshot, position });
  return found;
}
