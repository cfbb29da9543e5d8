import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";

export interface FanOut {
  /** Active subscribers at the freeze. */
  readers: number;
  /** Readers with at least one matching article: one delivery each. */
  selected: number;
  slices: number;
  cohorts: number;
}

/**
 * Fixes the audience of a frozen edition: one delivery for each active subscriber with a matching article, and one
 * cohort for each distinct set of articles. Set-based, in the caller's transaction, so that either all of it is there
 * or nothing. Tags count as they are now; a change of tags applies to the next edition.
 */
export async function fanOut(tx: Tx, editionId: number, sliceSize: number): Promise<FanOut> {
  await sql`
    create temporary table matched on commit drop as
    with edition_tags as (
      select distinct unnest(tag_ids) as tag_id from edition_articles where edition_id = ${editionId}
    )
    select s.id as subscriber_id, array_agg(st.tag_id order by st.tag_id) as tag_ids
    from subscribers s
    join subscriber_tags st on st.subscriber_id = s.id
    join edition_tags using (tag_id)
    where s.status = 'active' and not s.all_tags
    group by s.id
    union all
    -- An empty set of tags stands for "all news".
    select id, '{}'::int[] from subscribers where status = 'active' and all_tags`.execute(tx);
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
  await sql`
    insert into deliveries (edition_id, subscriber_id, cohort_id, slice, tag_ids, domain)
    select ${editionId}, m.subscriber_id, c.id,
      (row_number() over (order by m.subscriber_id) - 1) / ${sliceSize}::int,
      m.tag_ids, split_part(s.address, '@', 2)
    from matched m
    join matched_sets ms using (tag_ids)
    join cohorts c on c.edition_id = ${editionId} and c.positions = ms.positions
    join subscribers s on s.id = m.subscriber_id
    order by m.subscriber_id`.execute(tx);
  const counted = await sql<{ readers: number; selected: number; cohorts: number }>`
    select
      (select count(*) from subscribers where status = 'active') as readers,
      (select count(*) from deliveries where edition_id = ${editionId}) as selected,
      (select count(*) from cohorts where edition_id = ${editionId}) as cohorts`.execute(tx);
  await sql`drop table matched, matched_sets`.execute(tx);
  const { readers, selected, cohorts } = counted.rows[0]!;
  return { readers, selected, cohorts, slices: Math.ceil(selected / sliceSize) };
}
