import { sql, type RawBuilder } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { canMove, eitherChanges, startsEither } from "../ledger/state.ts";
import { isReading } from "../subscribers/reading.ts";
import { makePartitions } from "./partitions.ts";
import { countLeftOut, takeTurns, providersOverCap, warmUpOf, type WarmUp } from "./warm-up-rooms.ts";
import type { EditionWarmUp, WarmUpPlan } from "./warm-up.ts";

/**
 * How many readers an edition of these articles would have if it were frozen now, by the conditions of the fan-out:
 * `readers` are active and not pausing, and `selected` of them follow a tag of the articles, or all news.
 */
export async function countAudience(
  db: Db | Tx,
  articleIds: readonly number[],
  now: Date,
): Promise<{ readers: number; selected: number }> {
  const { rows } = await sql<{ readers: number; selected: number }>`
    select count(*) as readers, count(*) filter (where ${wants(articleIds)}) as selected
    from subscribers s
    where ${isReading("s", now)}`.execute(db);
  return rows[0]!;
}

/** That subscriber `s` follows a tag of the articles, or all news. */
function wants(articleIds: readonly number[]): RawBuilder<boolean> {
  return sql<boolean>`(s.all_tags or s.id in (
    select st.subscriber_id from subscriber_tags st
    where st.tag_id in (select tag_id from article_tags where article_id = any(${articleIds}::bigint[]))
  ))`;
}

/**
 * What the warm-up would do to an edition of these articles if it were frozen now; null if the date has no cap.
 * @param date local, of the edition
 */
export async function planWarmUp(
  db: Db | Tx,
  plan: WarmUpPlan,
  { date, articleIds, now }: { date: string; articleIds: readonly number[]; now: Date },
): Promise<EditionWarmUp | null> {
  const warmUp = await warmUpOf(db, plan, date);
  if (warmUp === null) return null;
  const { day, cap } = warmUp;
  if (articleIds.length === 0) return { day, cap, leftOut: 0 };
  const readers = sql`select s.id as subscriber_id from subscribers s where ${isReading("s", now)} and ${wants(articleIds)}`;
  return { day, cap, leftOut: countLeftOut(await providersOverCap(db, readers, warmUp, null)) };
}

export interface FanOut {
  /** Active subscribers at the freeze who are not pausing. */
  readers: number;
  /** Readers with at least one matching article: one delivery each. */
  selected: number;
  slices: number;
  cohorts: number;
  warmUp: EditionWarmUp | null;
}

export interface FanOutOptions {
  now: Date;
  sliceSize: number;
  /** When the email of a reader with this time zone is sent; null for at once. */
  leaves?: ((timezone: string) => Date | null) | undefined;
  /** The cap of the edition's date; null or left out for none. */
  warmUp?: WarmUp | null;
}

/**
 * Fixes the audience of a frozen edition: one delivery for each active subscriber with a matching article who is not
 * pausing, and one cohort for each distinct set of articles. Set-based, in the caller's transaction, so that either all
 * of it is there or nothing. Tags count as they are now; a change of tags applies to the next edition. While a new sender
 * warms up, readers above the cap of their provider are selected and skipped.
 */
export async function fanOut(tx: Tx, editionId: number, options: FanOutOptions): Promise<FanOut> {
  const { now, sliceSize, warmUp = null } = options;
  await makePartitions(tx, editionId);
  await sql`
    create temporary table matched on commit drop as
    with edition_tags as (
      select distinct unnest(tag_ids) as tag_id from edition_articles where edition_id = ${editionId}
    )
    select s.id as subscriber_id, array_agg(st.tag_id order by st.tag_id) as tag_ids
    from subscribers s
    join subscriber_tags st on st.subscriber_id = s.id
    join edition_tags using (tag_id)
    where ${isReading("s", now)} and not s.all_tags
    group by s.id
    union all
    -- An empty set of tags stands for "all news".
    select s.id, '{}'::int[] from subscribers s where ${isReading("s", now)} and s.all_tags`.execute(tx);
  await makeCohorts(tx, editionId);
  const zones = await ownHours(tx, options);
  const leftOut = warmUp && (await takeTurns(tx, editionId, warmUp));
  const atOnce = leftOut === null;
  const out = atOnce ? sql`false` : sql`t.reason_data is not null`;
  const start = startsEither(out, "warm-up", { now, reason_data: atOnce ? sql`null` : sql`t.reason_data` });
  const ownHour = sql`zones.leaves_at`;
  // `greatest` ignores null.
  const leavesAt = atOnce
    ? ownHour
    : sql`case when not ${out} then greatest(${ownHour}, ${now}::timestamptz + make_interval(hours => t.hour)) end`;
  // Those who get it later or not at all come after the others, so that they don't thin out the slices.
  const order = atOnce ? sql`m.subscriber_id` : sql`${out}, coalesce(t.hour, 0), m.subscriber_id`;
  await sql`
    insert into deliveries (edition_id, subscriber_id, cohort_id, slice, tag_ids, domain, due_at, leaves_at, ${start.columns})
    select ${editionId}, m.subscriber_id, c.id,
      (row_number() over (order by ${order}) - 1) / ${sliceSize}::int,
      m.tag_ids, split_part(s.address, '@', 2), ${leavesAt}, ${leavesAt}, ${start.values}
    from matched m
    join matched_sets ms using (tag_ids)
    join cohorts c on c.edition_id = ${editionId} and c.positions = ms.positions
    join subscribers s on s.id = m.subscriber_id
    left join (
      select name, leaves_at::timestamptz from unnest(
        ${zones.map(({ zone }) => zone)}::text[], ${zones.map(({ at }) => at.toISOString())}::text[]
      ) as zone(name, leaves_at)
    ) zones on zones.name = s.timezone
    ${atOnce ? sql`` : sql`left join turns t on t.subscriber_id = m.subscriber_id`}
    order by ${order}`.execute(tx);
  const counted = await sql<{ readers: number; selected: number; cohorts: number }>`
    select
      (select count(*) from subscribers s where ${isReading("s", now)}) as readers,
      (select count(*) from deliveries where edition_id = ${editionId}) as selected,
      (select count(*) from cohorts where edition_id = ${editionId}) as cohorts`.execute(tx);
  await sql`drop table matched, matched_sets`.execute(tx);
  if (!atOnce) await sql`drop table turns`.execute(tx);
  const { readers, selected, cohorts } = counted.rows[0]!;
  return {
    readers,
    selected,
    cohorts,
    slices: Math.ceil(selected / sliceSize),
    warmUp: warmUp && { day: warmUp.day, cap: warmUp.cap, leftOut: leftOut ?? 0 },
  };
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

/**
 * Makes one cohort of each distinct set of an edition's articles that readers get, and the temporary table `matched_sets`
 * (tag_ids, positions), one row for each set of tags that matches any. The caller has made the temporary table `matched`
 * with the `tag_ids` of each reader, where an empty set stands for "all news"; both end with its transaction.
 */
async function makeCohorts(tx: Tx, editionId: number): Promise<void> {
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
    where d.edition_id = ${editionId} and d.state = 'skipped' and d.reason_code = 'no_articles_left' and c.positions = '{}'`.execute(
    tx,
  );
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
  const emptied = sql`c.positions = '{}'`;
  await sql`
    update deliveries d set ${eitherChanges(emptied, ["lose-articles", "regain-articles"], { now, due_at: sql`d.leaves_at` })}
    from cohorts c
    where d.edition_id = ${editionId} and c.id = d.cohort_id and (
      ${canMove("lose-articles")} and ${emptied}
      or ${canMove("regain-articles")} and d.id in (select id from without_articles) and not ${emptied}
    )`.execute(tx);
  await sql`delete from cohorts where edition_id = ${editionId} and id <= ${last}`.execute(tx);
  await sql`drop table matched, matched_sets, without_articles`.execute(tx);
}
