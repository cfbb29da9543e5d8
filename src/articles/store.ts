import { sql } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { joinTag } from "./tag-store.ts";

export interface ListedArticle {
  id: number;
  url: string;
  title: string;
  summary: string;
  origin: string | null;
  publishedAt: Date | null;
  firstSeenAt: Date;
  tags: string[];
  /** What is going to happen to it, or has. */
  fate: "next edition" | "waits for its date" | "too old to mail" | "hidden" | "in an edition";
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
      case when a.edition_id is not null then 'in an edition' when a.hidden then 'hidden'
        when a.backlog then 'too old to mail' when a.eligible_at > ${options.now} then 'waits for its date'
        else 'next edition' end as fate,
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
