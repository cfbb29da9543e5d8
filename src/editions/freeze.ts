import { sql } from "kysely";
import { lockArticles } from "../articles/store.ts";
import { joinTag } from "../articles/tag-store.ts";
import { fanOut, type FanOut, type FanOutOptions } from "../deliveries/fan-out.ts";
import type { Tx } from "../db/schema.ts";
import { untouched, type Draft } from "./draft-store.ts";
import { layoutOf } from "./order.ts";

/**
 * Claims every eligible article for the edition, in the order and with the words that the draft wants and otherwise newest
 * first, snapshots them (`EditionArticle` without its position) without the tags that are hidden, and fixes the audience. An
 * article that comes later belongs to the next edition; none is in two, none falls between.
 * @returns null when there was no article to claim
 */
export async function freeze(
  tx: Tx,
  edition: { id: number; draft?: Draft } & FanOutOptions,
): Promise<(FanOut & { articles: number }) | null> {
  // Else a merge of tags could fall between the articles and the readers.
  await lockArticles(tx);
  const layout = layoutOf(edition.draft ?? untouched);
  const { numAffectedRows } = await sql`
    with claimed as (
      update articles a set edition_id = ${edition.id}
      where edition_id is null and not hidden and not backlog and eligible_at <= ${edition.now}
        and not ${layout.leftOut}
      returning *
    )
    insert into edition_articles (edition_id, position, article_id, tag_ids, snapshot)
    select a.edition_id, row_number() over (order by ${layout.order}) - 1, a.id,
      tagged.ids,
      jsonb_build_object(
        'title', ${layout.title}, 'url', a.url, 'summary', ${layout.summary}, 'tags', tagged.names,
        'origin', case when a.origin_name is not null
          then jsonb_build_object('name', a.origin_name, 'url', a.origin_url) end,
        'publishedAt', to_char(a.published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    from claimed a, lateral (
      select coalesce(array_agg(t.id order by at.position), '{}') as ids,
        coalesce(array_agg(t.name order by at.position), '{}') as names
      from article_tags at ${joinTag.at} where at.article_id = a.id and t.hidden_at is null
    ) tagged`.execute(tx);
  const articles = Number(numAffectedRows ?? 0n);
  if (articles === 0) return null;
  return { articles, ...(await fanOut(tx, edition.id, edition)) };
}
