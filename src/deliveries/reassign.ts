import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { makeCohorts } from "./cohorts.ts";

const noneLeft = "an editor left out every article that this reader would have got";

/**
 * Makes new cohorts for an edition whose articles were changed before any of it was sent. Its readers and the tags that
 * they matched stay as they were frozen. A reader without articles is skipped, and comes back when there is one again, so
 * that the edition always balances.
 * @param tx holds the edition's row
 */
export async function reassign(tx: Tx, editionId: number, now: Date): Promise<void> {
  const { rows } = await sql<{ last: number }>`
    select coalesce(max(id), 0)::int8 as last from cohorts where edition_id = ${editionId}`.execute(tx);
  const { last } = rows[0]!;
  await sql`
    create temporary table matched on commit drop as
    select tag_ids from deliveries where edition_id = ${editionId}`.execute(tx);
  await sql`
    create temporary table without_articles on commit drop as
    select d.id from deliveries d join cohorts c on c.id = d.cohort_id
    where d.edition_id = ${editionId} and d.state = 'skipped' and c.positions = '{}'`.execute(tx);
  await makeCohorts(tx, editionId);
  await sql`
    insert into cohorts (edition_id, positions, readers)
    select ${editionId}, '{}', count(*) from matched m
    where not exists (select 1 from matched_sets ms where ms.tag_ids = m.tag_ids)
    having count(*) > 0`.execute(tx);
  await sql`
    update deliveries d set cohort_id = c.id
    from (select distinct tag_ids from matched) m
    left join matched_sets ms using (tag_ids)
    join cohorts c on c.edition_id = ${editionId} and c.id > ${last} and c.positions = coalesce(ms.positions, '{}')
    where d.edition_id = ${editionId} and d.tag_ids = m.tag_ids`.execute(tx);
  await sql`
    update deliveries d set
      state = case when c.positions = '{}' then 'skipped' else 'pending' end,
      reply = case when c.positions = '{}' then ${noneLeft} end,
      settled_at = case when c.positions = '{}' then ${now}::timestamptz end,
      due_at = case when c.positions = '{}' then null else d.leaves_at end
    from cohorts c
    where d.edition_id = ${editionId} and c.id = d.cohort_id and (
      d.state = 'pending' and c.positions = '{}'
      or d.id in (select id from without_articles) and c.positions <> '{}'
    )`.execute(tx);
  await sql`delete from cohorts where edition_id = ${editionId} and id <= ${last}`.execute(tx);
  await sql`drop table matched, matched_sets, without_articles`.execute(tx);
}
