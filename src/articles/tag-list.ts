import { sql } from "kysely";
import type { Db } from "../db/schema.ts";

/** A tag as operators see it. */
export interface ListedTag {
  id: number;
  name: string;
  /** Its other spellings. */
  aliases: string[];
  /** Articles with it since the requested time. */
  articles: number;
  /** Active readers who follow it. */
  readers: number;
  /** null for a tag that is shown. */
  hiddenAt: Date | null;
  /** Changes with each change of the tag. */
  revision: number;
}

/** All tags by name, including hidden ones. @param tagId only this one */
export async function listAllTags(db: Db, since: Date, tagId: number | null = null): Promise<ListedTag[]> {
  const { rows } = await sql<ListedTag>`
    select t.id, t.name, t.hidden_at as "hiddenAt", t.revision,
      coalesce(used.articles, 0) as articles, coalesce(followed.readers, 0) as readers,
      array(select name from tag_aliases a where a.tag_id = t.id order by a.key) as aliases
    from tags t
    left join (
      select at.tag_id, count(*) as articles from article_tags at join articles a on a.id = at.article_id
      where a.first_seen_at >= ${since} group by at.tag_id
    ) used on used.tag_id = t.id
    left join (
      select st.tag_id, count(*) as readers from subscriber_tags st join subscribers s on s.id = st.subscriber_id
      where s.status = 'active' group by st.tag_id
    ) followed on followed.tag_id = t.id
    where ${tagId}::int is null or t.id = ${tagId}
    order by t.key`.execute(db);
  return rows;
}
