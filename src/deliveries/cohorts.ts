import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";

/**
 * Makes one cohort of each distinct set of an edition's articles that readers get, and the temporary table `matched_sets`
 * (tag_ids, positions), one row for each set of tags that matches any. The caller has made the temporary table `matched`
 * with the `tag_ids` of each reader, where an empty set stands for "all news"; both end with its transaction.
 */
export async function makeCohorts(tx: Tx, editionId: number): Promise<void> {
  await sql`
    create temporary table matched_sets on commit drop as
    with sets as (select distinct tag_ids from matched),
    edition_tags as (
      select position, unnest(tag_ids) as tag_id from edition_articles where edition_id = ${editionId}
    )
    select tag_ids, array_agg(distinct position order by position) as positions
    from (select tag_ids, unnest(tag_ids) as tag_id from sets) wanted
    join edition_tags using (tag_id)
    group by tag_ids
    union all
    select '{}'::int[], (select array_agg(position order by position) from edition_articles where edition_id = ${editionId})
    where exists (select 1 from sets where tag_ids = '{}')`.execute(tx);
  await sql`analyze matched, matched_sets`.execute(tx);
  await sql`
    insert into cohorts (edition_id, positions, readers)
    select ${editionId}, ms.positions, count(*)
    from matched m join matched_sets ms using (tag_ids)
    group by ms.positions`.execute(tx);
}
