import { sql } from "kysely";
import { lockArticles } from "../articles/store.ts";
import { fanOut, type FanOut, type FanOutOptions } from "../deliveries/fan-out.ts";
import type { Tx } from "../db/schema.ts";

/**
 * Claims every eligible article for the edition, newest first, snapshots them (`EditionArticle` without its position),
 * and fixes the audience. An article that comes later belongs to the next edition; none is in two, none falls between.
 * @returns null when there was no article to claim
 */
export async function freeze(
  tx: Tx,
  edition: { id: number } & FanOutOptions,
): Promise<(FanOut & { articles: number }) | null> {
  // Else a merge of tags could fall between the articles and the readers.
  await lockArticles(tx);
  const { numAffectedRows } = await sql`
    with claimed as (
      update articles set edition_id = ${edition.id}
      where edition_id is null and not hidden and not backlog and eligible_at <= ${edition.now}
      returning *
    )
    insert into edition_articles (edition_id, position, article_id, tag_ids, snapshot)
    select a.edition_id, row_number() over (order by coalesce(a.published_at, a.first_seen_at) desc, a.id desc) - 1, a.id,
      tagged.ids,
      jsonb_build_object(
        'title', a.title, 'url', a.url, 'summary', a.summary, 'tags', tagged.names,
        'origin', case when a.origin_name is not null
          then jsonb_build_object('name', a.origin_name, 'url', a.origin_url) end,
        'publishedAt', to_char(a.published_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    from claimed a, lateral (
      select coalesce(array_agg(t.id order by at.position), '{}') as ids,
        coalesce(array_agg(t.name order by at.position), '{}') as names
      from article_tags at join tags t on t.id = at.tag_id where at.article_id = a.id
    ) tagged`.execute(tx);
  const articles = Number(numAffectedRows ?? 0n);
  if (articles === 0) return null;
  return { articles, ...(await fanOut(tx, edition.id, edition)) };
}
