import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { makeCohorts } from "./cohorts.ts";

export interface FanOut {
  /** Active subscribers at the freeze who are not pausing. */
  readers: number;
  /** Readers with at least one matching article: one delivery each. */
  selected: number;
  slices: number;
  cohorts: number;
}

export interface FanOutOptions {
  now: Date;
  sliceSize: number;
  /** When the email of a reader with this time zone is sent; null for at once. */
  leaves?: ((timezone: string) => Date | null) | undefined;
}

/**
 * Fixes the audience of a frozen edition: one delivery for each active subscriber with a matching article who is not
 * pausing, and one cohort for each distinct set of articles. Set-based, in the caller's transaction, so that either all
 * of it is there or nothing. Tags count as they are now; a change of tags applies to the next edition.
 */
export async function fanOut(tx: Tx, editionId: number, options: FanOutOptions): Promise<FanOut> {
  const { now, sliceSize } = options;
  await sql`
    create temporary table matched on commit drop as
    with edition_tags as (
      select distinct unnest(tag_ids) as tag_id from edition_articles where edition_id = ${editionId}
    )
    select s.id as subscriber_id, array_agg(st.tag_id order by st.tag_id) as tag_ids
    from subscribers s
    join subscriber_tags st on st.subscriber_id = s.id
    join edition_tags using (tag_id)
    where s.status = 'active' and not s.all_tags and coalesce(s.paused_until <= ${now}, true)
    group by s.id
    union all
    -- An empty set of tags stands for "all news".
    select id, '{}'::int[] from subscribers
    where status = 'active' and all_tags and coalesce(paused_until <= ${now}, true)`.execute(tx);
  await makeCohorts(tx, editionId);
  const zones = await ownHours(tx, options);
  await sql`
    insert into deliveries (edition_id, subscriber_id, cohort_id, slice, tag_ids, domain, due_at, leaves_at)
    select ${editionId}, m.subscriber_id, c.id,
      (row_number() over (order by m.subscriber_id) - 1) / ${sliceSize}::int,
      m.tag_ids, split_part(s.address, '@', 2), zones.leaves_at, zones.leaves_at
    from matched m
    join matched_sets ms using (tag_ids)
    join cohorts c on c.edition_id = ${editionId} and c.positions = ms.positions
    join subscribers s on s.id = m.subscriber_id
    left join (
      select name, leaves_at::timestamptz from unnest(
        ${zones.map(({ zone }) => zone)}::text[], ${zones.map(({ at }) => at.toISOString())}::text[]
      ) as zone(name, leaves_at)
    ) zones on zones.name = s.timezone
    order by m.subscriber_id`.execute(tx);
  const counted = await sql<{ readers: number; selected: number; cohorts: number }>`
    select
      (select count(*) from subscribers where status = 'active' and coalesce(paused_until <= ${now}, true)) as readers,
      (select count(*) from deliveries where edition_id = ${editionId}) as selected,
      (select count(*) from cohorts where edition_id = ${editionId}) as cohorts`.execute(tx);
  await sql`drop table matched, matched_sets`.execute(tx);
  const { readers, selected, cohorts } = counted.rows[0]!;
  return { readers, selected, cohorts, slices: Math.ceil(selected / sliceSize) };
}

/** The time zones of matched readers in which the hour is still to come, each with its instant. */
async function ownHours(tx: Tx, { leaves }: FanOutOptions): Promise<{ zone: string; at: Date }[]> {
  if (!leaves) return [];
  const { rows } = await sql<{ zone: string }>`
    select distinct s.timezone as zone from matched m join subscribers s on s.id = m.subscriber_id
    where s.timezone is not null`.execute(tx);
  return rows.flatMap(({ zone }) => {
    const at = leaves(zone);
    return at === null ? [] : [{ zone, at }];
  });
}
