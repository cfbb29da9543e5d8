import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { joinTag } from "./tag-store.ts";

/** The readers and articles that a change of a tag affects. */
export interface TagReach {
  /** Active readers who follow the tag. */
  readers: number;
  /** Those who follow no other shown tag: without it they get no email. */
  onlyThis: number;
  /** Articles with the tag that wait for the next edition. */
  waiting: number;
  /** Those without another shown tag: without it only readers of all news get them. */
  waitingOnly: number;
}

export async function tagReach(db: Db | Tx, tagId: number): Promise<TagReach> {
  const { rows } = await sql<TagReach>`
    select f.*, w.* from (
      select count(*) as readers, count(*) filter (where not s.all_tags and not exists (
        select 1 from subscriber_tags st ${joinTag.st}
        where st.subscriber_id = s.id and st.tag_id <> ${tagId} and t.hidden_at is null)) as "onlyThis"
      from subscriber_tags st join subscribers s on s.id = st.subscriber_id
      where st.tag_id = ${tagId} and s.status = 'active'
    ) f, (
      select count(*) as waiting, count(*) filter (where not exists (
        select 1 from article_tags at ${joinTag.at}
        where at.article_id = a.id and at.tag_id <> ${tagId} and t.hidden_at is null)) as "waitingOnly"
      from article_tags at join articles a on a.id = at.article_id
      where at.tag_id = ${tagId} and a.edition_id is null and not a.hidden and not a.backlog
    ) w`.execute(db);
  return rows[0]!;
}
