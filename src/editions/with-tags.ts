import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import { getEditionById, type Edition } from "./store.ts";

/** Editions to look through: a month of daily ones. */
const lookedThrough = 30;

/**
 * The newest sent edition with an article of any of these tags, among the last 30.
 * @param names every spelling under which a tag may have been frozen; a merge took away the id it had then
 * @param ids their tags; a rename took away the name it had then
 */
export async function newestWithTags(
  db: Db,
  { names, ids }: { names: readonly string[]; ids: readonly number[] },
): Promise<Edition | undefined> {
  const { rows } = await sql<{ id: number }>`
    select id from (
      select id, date, number from editions where sending_at is not null
      order by date desc, number desc limit ${lookedThrough}
    ) e
    where exists (
      select 1 from edition_articles ea where ea.edition_id = e.id
        and (ea.tag_ids && ${ids}::int[] or ea.snapshot -> 'tags' ?| ${names}::text[])
    )
    order by date desc, number desc limit 1`.execute(db);
  return rows[0] && getEditionById(db, rows[0].id);
}
