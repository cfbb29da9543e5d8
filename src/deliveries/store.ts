import { sql, type RawBuilder } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { Balance, DeliveryState } from "../editions/state.ts";

/**
 * When delivery `d` of edition `e` is given up. A mail that leaves at its reader's own hour, later than the others, has as
 * much time as they have.
 */
export const expiry = sql`e.expires_at + coalesce(d.leaves_at - e.frozen_at, interval '0')`;

/**
 * How many of an edition's mails the relay has taken or refused, counted up to `most`: no more rows are read than that, by
 * the index that has the edition's own in order.
 */
export function answeredUpTo(editionId: RawBuilder<unknown>, most: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`(
    select count(*)::int from (
      select from deliveries where edition_id = ${editionId} and state in ('sent', 'rejected')
      order by subscriber_id limit ${most}
    ) few)`;
}

/** Counts of an edition's deliveries by state, read from the rows themselves. */
export async function countStates(db: Db | Tx, editionId: number, selected: number): Promise<Balance> {
  return (await countEditions(db, [{ id: editionId, selected }])).get(editionId)!;
}

/** The same for many editions at one look, by their id. */
export async function countEditions(
  db: Db | Tx,
  editions: readonly { id: number; selected: number }[],
): Promise<Map<number, Balance>> {
  const none = { sent: 0, rejected: 0, expired: 0, skipped: 0, unknown: 0, pending: 0, sending: 0, deferred: 0 };
  const counted = new Map(editions.map(({ id, selected }): [number, Balance] => [id, { selected, ...none }]));
  if (editions.length === 0) return counted;
  const rows = await db
    .selectFrom("deliveries")
    .select(["edition_id", "state", (eb) => eb.fn.countAll<number>().as("count")])
    .where("edition_id", "in", [...counted.keys()])
    .groupBy(["edition_id", "state"])
    .execute();
  for (const { edition_id, state, count } of rows) counted.get(edition_id)![state] = count;
  return counted;
}

/** Slices that have deliveries to send now. */
export async function dueSlices(db: Db, editionId: number, now: Date): Promise<number[]> {
  const rows = await db
    .selectFrom("deliveries")
    .select("slice")
    .distinct()
    .where("edition_id", "=", editionId)
    .where((eb) =>
      eb.or([
        eb("due_at", "<=", now).and("state", "in", ["pending", "deferred"]),
        eb("due_at", "is", null).and("state", "=", "pending"),
      ]),
    )
    .orderBy("slice")
    .execute();
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

/** How many deliveries of which edition. */
export interface OfEdition {
  edition: number;
  deliveries: number;
}

/** Ends what waited too long: deliveries of editions being sent whose time is over. */
export async function expire(db: Db, now: Date): Promise<OfEdition[]> {
  const { rows } = await sql<OfEdition>`
    with ended as (
    update deliveries d set state = 'expired', settled_at = ${now},
      reply = coalesce('last answer: ' || d.reply, 'not sent in time')
    from (
      select id, expires_at, frozen_at from editions
      where state = 'sending' and expires_at <= ${now} order by id for no key update
    ) e
    where e.id = d.edition_id and d.state in ('pending', 'deferred') and ${expiry} <= ${now}
    returning d.edition_id
    )
    select edition_id as edition, count(*)::int as deliveries from ended group by edition_id order by edition_id
  `.execute(db);
  return rows;
}

/**
 * Puts settled deliveries back to be sent: `unknown` ones when an operator decides so, or `rejected` and `expired`.
 * Readers who have unsubscribed or were suppressed since keep their outcome. The claim stays, so that a late reply can
 * still prevent a second copy.
 * @returns how many
 */
export async function sendAgain(tx: Tx, editionId: number, states: readonly DeliveryState[]): Promise<number> {
  const { numAffectedRows } = await sql`
    update deliveries d set state = 'pending', due_at = null, settled_at = null, attempts = 0
    from subscribers s
    where d.edition_id = ${editionId} and d.state = any(${states}) and s.id = d.subscriber_id and s.status = 'active'`.execute(
    tx,
  );
  return Number(numAffectedRows ?? 0n);
}

/** Ends the open deliveries of a cancelled edition. Those at the relay at this moment still get their outcome. */
export async function skipOpen(tx: Tx, editionId: number, reason: string, now: Date): Promise<number> {
  const result = await tx
    .updateTable("deliveries")
    .set({ state: "skipped", reply: reason, settled_at: now, due_at: null })
    .where("edition_id", "=", editionId)
    .where("state", "in", ["pending", "deferred"])
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}
