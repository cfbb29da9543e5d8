import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import type { EditionArticle } from "../render/types.ts";
import { shownTagNames } from "./tag-store.ts";

export interface RecentArticle extends EditionArticle {
  firstSeenAt: Date;
  /** The edition that contained it, such as `2026-11-24`; null while it waits for one, or if it was too old. */
  edition: string | null;
}

/**
 * The newest public articles: without hidden ones, those that wait for their date, and those of editions that are held or
 * were cancelled before sending.
 */
export async function recentArticles(
  db: Db,
  options: { now: Date; limit: number; tagId?: number },
): Promise<RecentArticle[]> {
  const { now, limit, tagId } = options;
  // Only when a tag is given: the planner can then start from the articles of a rare tag.
  const withTag =
    tagId === undefined
      ? sql``
      : sql`and exists (select 1 from article_tags at where at.article_id = a.id and at.tag_id = ${tagId})`;
  const { rows } = await sql<Omit<RecentArticle, "position" | "publishedAt"> & { publishedAt: Date | null }>`
    select r.title, r.url, r.summary, r.published_at as "publishedAt", r.first_seen_at as "firstSeenAt", r.edition,
      case when r.origin_name is not null then jsonb_build_object('name', r.origin_name, 'url', r.origin_url) end as origin,
      ${shownTagNames(sql.ref("r.id"))} as tags
    from (
      select a.*, case when e.sending_at is null then null when e.number = 1 then e.date::text
        else e.date::text || '.' || e.number end as edition
      from articles a left join editions e on e.id = a.edition_id
      where not a.hidden and a.eligible_at <= ${now}
        and (a.edition_id is null or e.sending_at is not null or e.state = 'opening')
        ${withTag}
      order by a.first_seen_at desc, a.id desc limit ${limit}
    ) r
    order by coalesce(r.published_at, r.first_seen_at) desc, r.id desc`.execute(db);
  return rows.map((row, position) => ({ ...row, position, publishedAt: row.publishedAt?.toISOString() ?? null }));
}
