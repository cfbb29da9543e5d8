import { sql, type RawBuilder } from "kysely";
import type { Tx } from "../db/schema.ts";

/**
 * Locks readers of any status until the transaction ends. Whatever changes the status of a reader or the suppression of an address
 * locks in this order, so that no two of them wait for each other. An import of readers is ordered only within its groups: in theory,
 * it can lose a deadlock against the ledger, and is then undone as a whole.
 *
 * 1. Imports and the removal of many suppressions: `lockBulkChanges`
 * 2. editions and their counts, then deliveries, then sign-ups
 * 3. readers, by id
 * 4. suppressions, by hash
 * 5. everything else of a reader, such as questions and notices
 *
 * A transaction that writes the suppression of an address also locks a reader whose status stays the same. An update of those who are
 * not suppressed would not wait for a transaction that is about to make a suppressed reader active. Read statuses and suppressions
 * after locking: only a later statement sees what the transactions before have committed.
 *
 * @param which a condition about subscriber `s`
 * @param change `key` if they may be deleted or get another address: new deliveries and notices of the readers wait for this lock,
 * but not for the other
 * @returns how many
 */
export async function lockReaders(
  tx: Tx,
  which: RawBuilder<boolean>,
  change: "status" | "key" = "status",
): Promise<number> {
  const strength = change === "status" ? sql`no key update` : sql`update`;
  const { rows } = await sql<{ count: number }>`
    with locked as materialized (select s.id from subscribers s where ${which} order by s.id for ${strength})
    select count(*)::int as count from locked`.execute(tx);
  return rows[0]!.count;
}

/** The same for readers with these addresses. */
export function lockAddresses(tx: Tx, addressKeys: readonly string[]): Promise<number> {
  return lockReaders(tx, sql<boolean>`s.address_key = any(${addressKeys}::text[])`);
}

/**
 * Lets one transaction at a time change many readers in the order of a list, see `lockReaders`. An import cannot know all its readers
 * before the first ones are written.
 */
export async function lockBulkChanges(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('dayletter:bulk-changes'))`.execute(tx);
}
