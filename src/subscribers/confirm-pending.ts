import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { addVouchedConsents } from "./consents.ts";
import { addSubscriberTags } from "./followed-tags.ts";
import type { NewSubscriber } from "./insert.ts";

/** A pending reader, and the subscription that an operator vouches for. */
export interface Vouched {
  id: number;
  as: NewSubscriber;
}

/**
 * Makes pending readers active with the tags that the operator vouches for, not those of an unconfirmed form. Each gets a
 * consent record.
 * @param rows with unique ids
 * @returns the ids of the readers who were still pending
 */
export async function confirmPending(tx: Tx, rows: readonly Vouched[], now: Date): Promise<Set<number>> {
  if (rows.length === 0) return new Set();
  const confirmed = await sql<{ id: number }>`
    update subscribers s set status = 'active', all_tags = v.all_tags, timezone = v.timezone,
      confirmed_at = v.confirmed_at::timestamptz
    from unnest(
      ${rows.map(({ id }) => id)}::bigint[], ${rows.map(({ as }) => as.allTags)}::bool[],
      ${rows.map(({ as }) => as.timezone ?? null)}::text[],
      ${rows.map(({ as }) => (as.confirmedAt ?? now).toISOString())}::text[]
    ) as v(id, all_tags, timezone, confirmed_at)
    where s.id = v.id and s.status = 'pending' returning s.id`.execute(tx);
  const ids = new Set(confirmed.rows.map(({ id }) => id));
  const taken = rows.filter(({ id }) => ids.has(id));
  await sql`delete from subscriber_tags where subscriber_id = any(${[...ids]}::bigint[])`.execute(tx);
  await addSubscriberTags(
    tx,
    taken.map(({ id, as }) => ({ id, tagIds: as.tagIds })),
  );
  await addVouchedConsents(
    tx,
    taken.map(({ id, as }) => ({ ...as, subscriberId: id, confirmedAt: as.confirmedAt ?? now })),
    now,
  );
  return ids;
}
