import { sql } from "kysely";
import type { Db, SubscriberStatus } from "../db/schema.ts";

export interface FoundReader {
  id: number;
  address: string;
  status: SubscriberStatus;
  allTags: boolean;
  tags: number;
  createdAt: Date;
}

/** A page of readers by id, newest first, whose address has `words` in it. @param page.before the last id of the page before */
export async function findReaders(
  db: Db,
  page: { words: string; status?: SubscriberStatus | undefined; before: number | null; limit: number },
): Promise<FoundReader[]> {
  const { words, status = null, before, limit } = page;
  const like = `%${words.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
  const { rows } = await sql<FoundReader>`
    select s.id, s.address, s.status, s.all_tags as "allTags", s.created_at as "createdAt",
      (select count(*)::int from subscriber_tags st where st.subscriber_id = s.id) as tags
    from subscribers s
    where (${before}::bigint is null or s.id < ${before}) and s.address_key like ${like}
      and (${status}::text is null or s.status = ${status})
    order by s.id desc limit ${limit}`.execute(db);
  return rows;
}
