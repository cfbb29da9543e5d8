import { sql, type RawBuilder } from "kysely";
import { remember } from "../base/remember.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { Edition } from "../editions/store.ts";
import { closedProviders, isNoneOf, joinProvider } from "../providers/store.ts";
import { canMove, changes } from "../ledger/state.ts";
import type { OfEdition } from "../ledger/dead-senders.ts";
import { type Balance, emptyBalance } from "../ledger/balance.ts";

/**
 * When delivery `d` of edition `e` expires. An email that is sent later, at its reader's own hour, gets as much time as the
 * others.
 */
export const expiry = sql`e.expires_at + coalesce(d.leaves_at - e.frozen_at, interval '0')`;

/**
 * How many of an edition's emails the relay has accepted or refused, counted up to `most`, so that no more rows are read
 * than that.
 */
export function answeredUpTo(editionId: RawBuilder<unknown>, most: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`(
    select count(*)::int from (
      select from deliveries where edition_id = ${editionId} and state in ('sent', 'rejected')
      order by subscriber_id limit ${most}
    ) few)`;
}

/** The same for one edition. */
export async function countAnswered(db: Db | Tx, editionId: number, most: number): Promise<number> {
  const { rows } = await sql<{ answered: number }>`
    select ${answeredUpTo(sql`${editionId}`, sql`${most}`)} as answered`.execute(db);
  return rows[0]!.answered;
}

/** Counts of an edition's deliveries by state, read from the rows themselves. */
export async function countStates(db: Db | Tx, edition: Counted): Promise<Balance> {
  return (await countEditions(db, [edition])).get(edition.id)!;
}

type Counted = Pick<Edition, "id" | "selected" | "final_counts">;

/** The same for many editions with one query, by their id. What retention has removed was counted then. */
export async function countEditions(db: Db | Tx, editions: readonly Counted[]): Promise<Map<number, Balance>> {
  const counted = new Map(
    editions.map((one): [number, Balance] => [one.id, { ...emptyBalance(one.selected), ...one.final_counts }]),
  );
  const kept = editions.filter((one) => one.final_counts === null).map(({ id }) => id);
  if (kept.length === 0) return counted;
  const rows = await db
    .selectFrom("deliveries")
    .select(["edition_id", "state", (eb) => eb.fn.countAll<number>().as("count")])
    .where("edition_id", "in", kept)
    .groupBy(["edition_id", "state"])
    .execute();
  for (const { edition_id, state, count } of rows) counted.get(edition_id)![state] = count;
  return counted;
}

/** How many readers of each edition, by its id, wait for the publication's hour in their own time zone. */
export async function countOwnHour(db: Db, editionIds: readonly number[], now: Date): Promise<Map<number, number>> {
  if (editionIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("deliveries")
    .select(["edition_id", (eb) => eb.fn.countAll<number>().as("count")])
    .where("edition_id", "in", [...editionIds])
    .where("state", "in", ["pending", "deferred"])
    .where("leaves_at", ">", now)
    .groupBy("edition_id")
    .execute();
  return new Map(rows.map(({ edition_id, count }) => [edition_id, count]));
}

/** Slices that have deliveries to send now, to providers that are not paused. */
export async function dueSlices(db: Db, editionId: number, now: Date): Promise<number[]> {
  const closed = await closedProviders(db, now);
  const { rows } = await sql<{ slice: number }>`
    select distinct d.slice from deliveries d ${closed.length > 0 ? joinProvider : sql``}
    where d.edition_id = ${editionId} and ${canMove("claim")}
      and (d.due_at <= ${now} or d.state = 'pending' and d.due_at is null)
      ${closed.length > 0 ? sql`and ${isNoneOf(closed)}` : sql``}
    order by d.slice`.execute(db);
  return rows.map((row) => row.slice);
}

/** Whether no delivery of the edition is open. */
export async function isSettled(db: Db, editionId: number): Promise<boolean> {
  const open = await db
    .selectFrom("deliveries")
    .select("id")
    .where("edition_id", "=", editionId)
    .where("state", "in", ["pending", "deferred", "sending"])
    .limit(1)
    .executeTakeFirst();
  return open === undefined;
}

/** Ends what waited too long: deliveries of editions being sent whose time is over. */
export async function expire(db: Db, now: Date): Promise<OfEdition[]> {
  const { rows } = await sql<OfEdition>`
    with ended as (
    update deliveries d set ${changes("expire", { now })}
    from (
      select id, expires_at, frozen_at from editions
      where state = 'sending' and expires_at <= ${now} order by id for no key update
    ) e
    where e.id = d.edition_id and ${canMove("expire")} and ${expiry} <= ${now}
    returning d.edition_id
    )
    select edition_id as edition, count(*)::int as deliveries from ended group by edition_id order by edition_id
  `.execute(db);
  return rows;
}

/** That delivery `d` of reader `s` would be sent again. */
function goesAgain(event: "retry" | "resend-unknown"): RawBuilder<boolean> {
  return sql<boolean>`(${canMove(event)} and s.id = d.subscriber_id and s.status = 'active')`;
}

/** How many deliveries of each edition would be sent again by a retry: a query with the columns `edition_id` and `count`. */
export function retryable(editionIds: readonly number[]): RawBuilder<{ edition_id: number; count: number }> {
  return sql`
    select d.edition_id, count(*)::int as count from deliveries d, subscribers s
    where d.edition_id = any(${editionIds}::bigint[]) and ${goesAgain("retry")} group by d.edition_id`;
}

/** How many deliveries of an edition would be sent again by a retry. */
export async function countRetryable(db: Db, editionId: number): Promise<number> {
  const { rows } = await retryable([editionId]).execute(db);
  return rows[0]?.count ?? 0;
}

/**
 * Puts settled deliveries back to be sent: `unknown` ones when an operator decides so, or `rejected` and `expired`.
 * Readers who have unsubscribed or were suppressed since keep their outcome. The claim stays, so that a late reply can
 * still prevent a second copy.
 * @returns how many
 */
export async function sendAgain(
  tx: Tx,
  editionId: number,
  event: "retry" | "resend-unknown",
  now: Date,
): Promise<number> {
  const { numAffectedRows } = await sql`
    update deliveries d set ${changes(event, { now })} from subscribers s
    where d.edition_id = ${editionId} and ${goesAgain(event)}`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Makes due now what was deferred at `since` or later, until `until` or a time before. What a dead sender left keeps its time, in
 * which the sender's true answer may still come.
 */
export async function bringForward(tx: Tx, { since, until }: { since: Date; until: Date }, now: Date): Promise<void> {
  await sql`
    update deliveries d set due_at = ${now}
    from (select id from editions where state in ('sending', 'paused') order by id for no key update) e
    where e.id = d.edition_id and d.state = 'deferred' and d.due_at > ${now} and d.due_at <= ${until}
      and d.settled_at >= ${since} and d.reason_code is distinct from 'sender_stopped'`.execute(tx);
}

/** Ends the open deliveries of a cancelled edition. Those at the relay at this moment still get their outcome. */
export async function skipOpen(tx: Tx, editionId: number, now: Date): Promise<number> {
  const { numAffectedRows } = await sql`
    update deliveries d set ${changes("cancel", { now })}
    where d.edition_id = ${editionId} and ${canMove("cancel")}`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/** Editions whose tally is kept. */
const mostKept = 400;

/**
 * Counts the deliveries of many editions. What is over changes only when an operator reopens it, so its tally is kept: a
 * quarter's editions are counted once in a process's life.
 */
export function createTallies(db: Db): (editions: readonly Edition[]) => Promise<Map<number, Balance>> {
  const kept = new Map<string, Balance>();
  return async (editions) => {
    const keyOf = (edition: Edition): string | null =>
      edition.closed_at === null ? null : `${edition.id} ${edition.state} ${edition.closed_at.toISOString()}`;
    const unknown = editions.filter((edition) => !kept.has(keyOf(edition) ?? ""));
    const counted = await countEditions(db, unknown);
    const tallies = new Map<number, Balance>();
    for (const edition of editions) {
      const key = keyOf(edition);
      const tally = (key === null ? undefined : kept.get(key)) ?? counted.get(edition.id)!;
      tallies.set(edition.id, tally);
      if (key !== null) remember(kept, key, tally, mostKept);
    }
    return tallies;
  };
}
