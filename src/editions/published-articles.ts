import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import type { EditionArticle } from "../render/types.ts";
import type { Edition } from "./store.ts";

/** The first articles of each edition, by its id, as they were frozen. @param most of one edition */
export async function firstArticles(
  db: Db,
  editions: readonly Edition[],
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
