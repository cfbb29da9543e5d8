import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { LinkVerdict } from "./link-verdict.ts";

/** Where an article of an edition leads, by the address that is mailed. */
export interface ArticleLink {
  id: number;
  title: string;
  url: string;
}

export interface CheckedLink extends ArticleLink, LinkVerdict {
  checkedAt: Date;
}

/** The links of a frozen edition by weight: those at the top of most readers' emails come first. */
export async function editionLinks(db: Db | Tx, editionId: number): Promise<ArticleLink[]> {
  const { rows } = await sql<ArticleLink>`
    select ea.article_id as id, ea.snapshot ->> 'title' as title, ea.snapshot ->> 'url' as url
    from edition_articles ea left join (
      select positions[1] as position, sum(readers) as readers from cohorts where edition_id = ${editionId} group by 1
    ) leads using (position)
    where ea.edition_id = ${editionId}
    order by leads.readers desc nulls last, ea.position`.execute(db);
  return rows;
}

/** What the last look found, in the order of `links`; those that were never asked for at that address are left out. */
export async function checkedLinks(db: Db | Tx, links: readonly ArticleLink[]): Promise<CheckedLink[]> {
  if (links.length === 0) return [];
  const rows = await db
    .selectFrom("link_checks")
    .selectAll()
    .where(
      "article_id",
      "in",
      links.map(({ id }) => id),
    )
    .execute();
  const byArticle = new Map(rows.map((row) => [row.article_id, row]));
  return links.flatMap((link) => {
    const row = byArticle.get(link.id);
    if (row?.url !== link.url) return [];
    return [{ ...link, verdict: row.verdict, said: row.said, checkedAt: row.checked_at }];
  });
}

export function brokenOnly(links: readonly CheckedLink[]): CheckedLink[] {
  return links.filter(({ verdict }) => verdict === "broken");
}

/** An article that was removed while its link was asked for is passed over. */
export async function keepChecks(db: Db, checked: readonly CheckedLink[]): Promise<void> {
  if (checked.length === 0) return;
  await sql`
    insert into link_checks (article_id, url, verdict, said, checked_at)
    select c.id, c.url, c.verdict, c.said, c.at::timestamptz
    from unnest(
      ${checked.map(({ id }) => id)}::bigint[], ${checked.map(({ url }) => url)}::text[],
      ${checked.map(({ verdict }) => verdict)}::text[], ${checked.map(({ said }) => said)}::text[],
      ${checked.map(({ checkedAt }) => checkedAt.toISOString())}::text[]
    ) as c(id, url, verdict, said, at)
    join articles a on a.id = c.id
    on conflict (article_id) do update
      set url = excluded.url, verdict = excluded.verdict, said = excluded.said, checked_at = excluded.checked_at`.execute(
    db,
  );
}
