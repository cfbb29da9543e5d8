import { sql } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, SubscriberStatus } from "../db/schema.ts";
import { parseAnyAddress } from "../base/address.ts";
import { findByAddress, type Subscriber } from "./store.ts";
import { erased, findSuppressed } from "./suppressions.ts";

/**
 * The reader with an address.
 * @throws Refusal 422 for a wrong address, 404 when nobody has it, saying whether it is suppressed
 */
export async function lookUpReader(
  { db, options }: { db: Db; options: { secret: string } },
  raw: string,
): Promise<Subscriber> {
  const { key } = parseAnyAddress(raw);
  const found = await findByAddress(db, key);
  if (found) return found;
  const reason = (await findSuppressed(db, options.secret, [key])).get(key);
  if (reason === erased)
    throw new Refusal(404, "No subscriber has this address: they were erased, and can sign up again.");
  throw new Refusal(
    404,
    reason === undefined
      ? "No subscriber has this address: they never signed up, or gave another one, or were erased."
      : `No subscriber has this address, and it is suppressed (${reason}): it is never mailed.`,
  );
}

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
