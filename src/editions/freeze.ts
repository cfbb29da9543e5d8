import { sql } from "kysely";
import { fanOut, type FanOut } from "../deliveries/fan-out.ts";
import type { Tx } from "../db/schema.ts";
import type { EditionArticle } from "../render/types.ts";

interface ClaimedArticle {
  id: number;
  title: string;
  url: string;
  summary: string;
  origin_name: string | null;
  origin_url: string | null;
  published_at: Date | null;
  tag_ids: number[];
  tags: string[];
}

/**
 * Claims every eligible article for the edition, newest first, snapshots them, and fixes the audience. An article that
 * comes later belongs to the next edition; none is in two, none falls between.
 * @returns null when there was no article to claim
 */
export async function freeze(
  tx: Tx,
  edition: { id: number; now: Date; sliceSize: number },
): Promise<(FanOut & { articles: number }) | null> {
  const { rows } = await sql<ClaimedArticle>`
    with claimed as (
      update articles set edition_id = ${edition.id}
      where edition_id is null and not hidden and not backlog and eligible_at <= ${edition.now}
      returning *
    )
    select a.id, a.title, a.url, a.summary, a.origin_name, a.origin_url, a.published_at,
      coalesce(array_agg(t.id order by at.position) filter (where t.id is not null), '{}') as tag_ids,
      coalesce(array_agg(t.name order by at.position) filter (where t.id is not null), '{}') as tags
    from claimed a
    left join article_tags at on at.article_id = a.id
    left join tags t on t.id = at.tag_id
    group by a.id, a.title, a.url, a.summary, a.origin_name, a.origin_url, a.published_at, a.first_seen_at
    order by coalesce(a.published_at, a.first_seen_at) desc, a.id desc`.execute(tx);
  if (rows.length === 0) return null;
  await tx
    .insertInto("edition_articles")
    .values(
      rows.map((article, position) => ({
        edition_id: edition.id,
        position,
        article_id: article.id,
        tag_ids: article.tag_ids,
        snapshot: JSON.stringify(snapshotOf(article)),
      })),
    )
    .execute();
  return { articles: rows.length, ...(await fanOut(tx, edition.id, edition.sliceSize)) };
}

function snapshotOf(article: ClaimedArticle): Omit<EditionArticle, "position"> {
  return {
    title: article.title,
    url: article.url,
    summary: article.summary,
    tags: article.tags,
    origin: article.origin_name === null ? null : { name: article.origin_name, url: article.origin_url },
    publishedAt: article.published_at?.toISOString() ?? null,
  };
}
