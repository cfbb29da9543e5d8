import { sql } from "kysely";
import type { Db } from "../db/schema.ts";
import { listPublished } from "../editions/store.ts";
import { oneLine } from "../base/text.ts";
import { clip, httpUrl } from "../render/plain.ts";

const most = 8;
const longestTitle = 300;

/** Headlines of the newest edition, by the tags that the reader follows. */
export async function newestHeadlines(
  db: Db,
  reader: { id: number; allTags: boolean },
): Promise<{ title: string; url: string }[]> {
  const [newest] = await listPublished(db, 1);
  if (!newest) return [];
  const { rows } = await sql<{ title: string; url: string }>`
    select snapshot ->> 'title' as title, snapshot ->> 'url' as url
    from edition_articles
    where edition_id = ${newest.id} and (${reader.allTags} or tag_ids && array(
      select t.id from subscriber_tags st join tags t on t.id = st.tag_id
      where st.subscriber_id = ${reader.id} and t.hidden_at is null
    ))
    order by position limit ${most}`.execute(db);
  return rows.flatMap(({ title, url }) => {
    const link = httpUrl(url);
    return link === null ? [] : [{ title: clip(oneLine(title), longestTitle) || link, url: link }];
  });
}
