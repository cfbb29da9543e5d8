import { sql } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, SubscriberStatus } from "../db/schema.ts";
import { parseAnyAddress } from "../base/address.ts";
import { findByAddress, type Subscriber } from "./store.ts";
import { erased, findSuppressed } from "./suppressions.ts";

/**
 * The reader with an address.
 * @throws Refusal 422 for a wrong address, 404 when no reader has it, with codes for an erased and a suppressed one
 */
export async function lookUpReader(
  { db, options }: { db: Db; options: { secret: string } },
  raw: string,
): Promise<Subscriber> {
  const { key } = parseAnyAddress(raw);
  const found = await findByAddress(db, key);
  if (found) return found;
  const reason = (await findSuppressed(db, options.secret, [key])).get(key);
  if (reason === undefined) throw new Refusal(404, "address_unknown");
  if (reason === erased) throw new Refusal(404, "address_unknown_erased");
  throw new Refusal(404, "address_unknown_suppressed", { reason });
}

export interface FoundReader {
  id: number;
  address: string;
  status: SubscriberStatus;
  allTags: boolean;
  tags: number;
  createdAt: Date;
}

/** A page of readers whose address contains `words`, newest first. @param page.before the last id of the previous page */
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
