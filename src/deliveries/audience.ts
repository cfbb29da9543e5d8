import { sql } from "kysely";
import type { Db } from "../db/schema.ts";

/**
 * How many readers an edition of these articles would have if it were frozen now, by the conditions of the fan-out:
 * `readers` are active and not pausing, and `selected` of them follow a tag of the articles, or all news.
 */
export async function countAudience(
  db: Db,
  articleIds: readonly number[],
  now: Date,
): Promise<{ readers: number; selected: number }> {
  const { rows } = await sql<{ readers: number; selected: number }>`
    select count(*) as readers,
      count(*) filter (where s.all_tags or s.id in (
        select st.subscriber_id from subscriber_tags st
        where st.tag_id in (select tag_id from article_tags where article_id = any(${articleIds}::bigint[]))
      )) as selected
    from subscribers s
    where s.status = 'active' and coalesce(s.paused_until <= ${now}, true)`.execute(db);
  return rows[0]!;
}
