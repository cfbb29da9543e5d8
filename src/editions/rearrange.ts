import { sql } from "kysely";
import { lockArticles } from "../articles/store.ts";
import { Refusal } from "../base/errors.ts";
import type { Tx } from "../db/schema.ts";
import { reassign } from "../deliveries/reassign.ts";
import type { Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";

/** Ids of articles; each step is taken only for those that it names. */
export interface Rearrangement {
  /** Those that come first from now on, in this order; the others follow as they were. */
  first?: readonly number[] | undefined;
  /** Those that wait for the next edition from now on. */
  leaveOut?: readonly number[] | undefined;
  /** Those that were left out, and are to be in it again, at the end. */
  takeBack?: readonly number[] | undefined;
}

/**
 * Changes which articles a held edition has, and their order; readers stay as they were frozen. What is left out is
 * unclaimed: the next edition takes it, whichever that is.
 * @param tx holds the edition's row
 * @throws Refusal 422 for an article that is not there to be moved, or when none would be left; 409 for one that cannot
 * be taken back, since another edition has claimed it or it was hidden
 */
export async function rearrange(tx: Tx, edition: Edition, change: Rearrangement, now: Date): Promise<void> {
  const [first, leaveOut, takeBack] = [ids(change.first), ids(change.leaveOut), ids(change.takeBack)];
  if (first.length + leaveOut.length + takeBack.length === 0) return;
  await lockArticles(tx);
  if (leaveOut.length > 0) await moveOut(tx, edition, leaveOut);
  if (takeBack.length > 0) await moveIn(tx, edition, takeBack);
  const articles = await putInOrder(tx, edition, first);
  if (articles === 0) {
    throw new Refusal(422, "no_article_left", { edition: editionName(edition) });
  }
  await tx.updateTable("editions").set({ articles }).where("id", "=", edition.id).execute();
  await reassign(tx, edition.id, now);
}

async function moveOut(tx: Tx, edition: Edition, out: number[]): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    with gone as (
      delete from edition_articles where edition_id = ${edition.id} and article_id = any(${out}::bigint[]) returning *
    ), kept as (
      insert into left_out_articles (edition_id, article_id, tag_ids, snapshot)
      select edition_id, article_id, tag_ids, snapshot from gone
    )
    update articles set edition_id = null from gone where articles.id = gone.article_id returning id`.execute(tx);
  refuseMissing(edition, out, rows);
}

async function moveIn(tx: Tx, edition: Edition, back: number[]): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    with claimed as (
      update articles a set edition_id = ${edition.id}
      where a.id = any(${back}::bigint[]) and a.edition_id is null and not a.hidden
        and exists (select 1 from left_out_articles l where l.edition_id = ${edition.id} and l.article_id = a.id)
      returning a.id
    ), waited as (
      delete from left_out_articles l using claimed
      where l.edition_id = ${edition.id} and l.article_id = claimed.id
      returning l.*
    )
    insert into edition_articles (edition_id, position, article_id, tag_ids, snapshot)
    select edition_id, row_number() over (order by array_position(${back}::bigint[], article_id)) +
      (select coalesce(max(position), 0) from edition_articles where edition_id = ${edition.id}),
      article_id, tag_ids, snapshot
    from waited
    returning article_id as id`.execute(tx);
  const stuck = missing(back, rows);
  if (stuck === undefined) return;
  throw new Refusal(409, "article_not_left_out", { edition: editionName(edition), article: stuck });
}

/** @returns how many articles the edition has */
async function putInOrder(tx: Tx, edition: Edition, first: number[]): Promise<number> {
  // Below zero at first: no two may share a position at any moment.
  await sql`
    update edition_articles ea set position = -sorted.place
    from (
      select article_id, row_number() over (order by array_position(${first}::bigint[], article_id) nulls last, position) as place
      from edition_articles where edition_id = ${edition.id}
    ) sorted
    where ea.edition_id = ${edition.id} and ea.article_id = sorted.article_id`.execute(tx);
  const { rows } = await sql<{ id: number }>`
    update edition_articles set position = -1 - position where edition_id = ${edition.id}
    returning article_id as id`.execute(tx);
  refuseMissing(edition, first, rows);
  return rows.length;
}

function ids(list: readonly number[] = []): number[] {
  return [...new Set(list)];
}

function refuseMissing(edition: Edition, asked: number[], found: { id: number }[]): void {
  const article = missing(asked, found);
  if (article === undefined) return;
  throw new Refusal(422, "article_not_in_edition", { edition: editionName(edition), article });
}

function missing(asked: number[], found: { id: number }[]): number | undefined {
  const there = new Set(found.map(({ id }) => id));
  return asked.find((id) => !there.has(id));
}
