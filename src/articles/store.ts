import { sql, type RawBuilder } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { joinTag, shownTagNames } from "./tag-store.ts";
import type { EditionArticle, Picture } from "../render/types.ts";

export const articleStatuses = ["next_edition", "waiting_for_date", "too_old", "hidden", "in_edition"] as const;
export type ArticleStatus = (typeof articleStatuses)[number];

export interface ListedArticle {
  id: number;
  url: string;
  title: string;
  summary: string;
  origin: string | null;
  publishedAt: Date | null;
  firstSeenAt: Date;
  tags: string[];
  status: ArticleStatus;
  /** The edition that contains it, such as `2026-11-24`. */
  edition: string | null;
}

/** A transaction lock, so that ingest, freeze and tag changes run one after another. */
export async function lockArticles(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('dayletter:ingest'))`.execute(tx);
}

/** Newest first. */
export async function listArticles(
  db: Db,
  options: { limit: number; now: Date; tagId?: number; unclaimed?: boolean },
): Promise<ListedArticle[]> {
  const { rows } = await sql<ListedArticle>`
    select a.id, a.url, a.title, a.summary, a.origin_name as origin, a.published_at as "publishedAt",
      a.first_seen_at as "firstSeenAt",
      array(select t.name from article_tags at ${joinTag.at}
        where at.article_id = a.id order by at.position) as tags,
      case when a.edition_id is not null then 'in_edition' when a.hidden then 'hidden'
        when a.backlog then 'too_old' when a.eligible_at > ${options.now} then 'waiting_for_date'
        else 'next_edition' end as status,
      case when e.number = 1 then e.date::text else e.date::text || '.' || e.number end as edition
    from articles a left join editions e on e.id = a.edition_id
    where (${options.tagId ?? null}::int is null or exists (
        select 1 from article_tags at where at.article_id = a.id and at.tag_id = ${options.tagId ?? null}))
      and (not ${options.unclaimed ?? false} or (a.edition_id is null and not a.hidden and not a.backlog))
    order by a.first_seen_at desc, a.id desc limit ${options.limit}`.execute(db);
  return rows;
}

/** Keeps an article out of all future editions. @throws Refusal 404, or 409 when an edition already has it */
export async function hideArticle(db: Db | Tx, id: number): Promise<void> {
  const article = await db
    .updateTable("articles")
    .set({ hidden: true })
    .where("id", "=", id)
    .where("edition_id", "is", null)
    .returning("id")
    .executeTakeFirst();
  if (article) return;
  const frozen = await db.selectFrom("articles").select("id").where("id", "=", id).executeTakeFirst();
  if (!frozen) throw new Refusal(404, "article_not_found", { id });
  throw new Refusal(409, "article_in_edition", { id });
}

export interface RecentArticle extends EditionArticle {
  firstSeenAt: Date;
  /** The edition that contained it, such as `2026-11-24`; null while it waits for one, or if it was too old. */
  edition: string | null;
}

/** The picture of an article as an object; null without one. @param alias of the table of articles */
export function pictureOf(alias: string): RawBuilder<Picture | null> {
  const of = (column: string): RawBuilder<unknown> => sql.ref(`${alias}.picture_${column}`);
  return sql`case when ${of("url")} is not null then jsonb_build_object('url', ${of("url")}, 'alt', ${of("alt")},
    'width', ${of("width")}, 'height', ${of("height")}) end`;
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
      ${pictureOf("r")} as picture,
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
