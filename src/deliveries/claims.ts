import { sql } from "kysely";
import { withoutAddresses } from "../db/sql.ts";
import type { Tx } from "../db/schema.ts";
import type { Ledger, LedgerTable } from "../ledger/ledger.ts";
import type { Outcome } from "../ledger/outcome.ts";
import { canMove, changes, eitherChanges, type DeliveryState } from "../ledger/state.ts";
import { isForgotten, lockEditions, outcomeRows, unclaimRows, type Claimant } from "../ledger/rows.ts";
import { isNoneOf, joinProvider, providerColumn } from "../providers/store.ts";
import type { Rooms } from "../providers/providers.ts";
import { lockReaders } from "../subscribers/lock.ts";
import { expiry, skipOpen } from "./store.ts";

/** A delivery that this process has claimed and must now send. */
export interface ClaimedDelivery {
  id: number;
  editionId: number;
  attempts: number;
  positions: number[];
  tagIds: number[];
  address: string;
  key: Buffer;
  /** Of the address at the freeze. */
  domain: string;
  provider: string;
  /** Whose turns it takes: the provider, or a domain that is limited on its own. */
  unit: string;
}

/** Whose deliveries are claimed, and how many each provider may get. */
interface Slice {
  editionId: number;
  slice: number;
  /** Asked at the last moment. */
  rooms: () => Rooms;
}

/** The edition says in which partition the delivery is. */
interface Placed {
  editionId: number;
  id: number;
}

export type DeliveryOutcome = Outcome & Placed;

export type DeliveryLedger = Ledger<Slice, ClaimedDelivery, DeliveryOutcome>;

/** What the outcome of a delivery means for the reader and the edition. */
export interface DeliveryEffects {
  /** Reopens, in the same transaction, finished editions of deliveries that turn out to be still open. */
  reopen(tx: Tx, open: readonly Placed[], now: Date): Promise<void>;
  /** Remembers, in the same transaction, that an address must never be mailed again. */
  suppress(tx: Tx, gone: { addressKey: string; editionId: number; reply: string; now: Date }): Promise<unknown>;
  /** Called after the commit with the number of further readers that an edition's emails have suppressed. */
  suppressed(editionId: number, more: number): void;
}

/** The deliveries, for a ledger. */
export function deliveryTable(effects: DeliveryEffects): LedgerTable<Slice, ClaimedDelivery, DeliveryOutcome> {
  return {
    claim,
    unclaim: (tx, claimant, now) => unclaim(tx, claimant, now, effects.reopen),
    async settle(tx, sender, outcomes, now) {
      await settle(tx, sender, outcomes, now);
      await effects.reopen(tx, deferredOf(outcomes), now);
      const refused = outcomes.filter(({ suppress }) => suppress === true);
      await lockReadersOf(tx, refused);
      const gone: number[] = [];
      for (const outcome of refused) {
        const addressKey = await suppressReader(tx, outcome, now);
        if (addressKey === null) continue;
        const { editionId, reply } = outcome;
        await effects.suppress(tx, { addressKey, editionId, reply: reply ?? "", now });
        gone.push(editionId);
      }
      if (gone.length === 0) return null;
      return () => {
        for (const id of new Set(gone)) effects.suppressed(id, gone.filter((one) => one === id).length);
      };
    },
  };
}

/** Rows looked at for each that is claimed while a provider may get fewer: those that it has no turn for are passed over. */
const lookedAt = 4;

/**
 * Claims up to `count` due deliveries of a slice for `sender`, and checks consent again: readers who are no longer active
 * are skipped, with the reason. Providers that are paused, or that have as many messages in flight as they may have, are left
 * out. Nothing is claimed unless the edition is being sent, so a pause takes effect at the next claim. Commit before SMTP
 * sees any of it.
 * @returns `heldBack`: if nothing is claimed, the providers and domains that were left out
 */
export async function claim(
  tx: Tx,
  request: Slice & { sender: string; count: number; now: Date },
): Promise<{ claimed: ClaimedDelivery[]; skipped: number; heldBack: string[] }> {
  const { editionId, slice, count, now } = request;
  const { closed, apart, units, rooms, others } = request.rooms();
  const active = sql`s.status = 'active'`;
  const dueInTime = sql`
    deliveries d
    join editions e on e.id = d.edition_id and e.state = 'sending'
    ${joinProvider}
    where d.edition_id = ${editionId} and d.slice = ${slice} and ${canMove("claim")}
      and (d.due_at <= ${now} or d.state = 'pending' and d.due_at is null) and coalesce(${expiry} > ${now}, true)`;
  const unit = sql<string>`case when d.domain = any(${apart}::text[]) then d.domain else ${providerColumn} end`;
  // PostgreSQL has no statistics of a new edition and takes it for one row. So the edition is looked for once, and its rows are
  // then found by edition and id, both from the rows before: no other plan can look cheaper.
  const { rows } = await sql<ClaimedDelivery & { state: DeliveryState }>`
    with candidates as (
      select d.edition_id, d.id, d.cohort_id, d.subscriber_id, ${providerColumn} as provider, ${unit} as unit
      from ${dueInTime} and ${isNoneOf(closed)}
      order by d.id limit ${rooms.some((room) => room < count) ? count * lookedAt : count}
      for update of d skip locked
    ), picked as materialized (
      select t.* from (select *, row_number() over (partition by unit order by id) as turn from candidates) t
      left join unnest(${units}::text[], ${rooms}::int[]) as r(unit, room) on r.unit = t.unit
      where t.turn <= coalesce(r.room, ${others})
      order by t.id limit ${count}
    )
    update deliveries d set ${eitherChanges(active, ["claim", "leave-out"], {
      now,
      claim: sql`${request.sender}`,
      reason_code: sql`case when s.id is null then 'erased' when s.status = 'suppressed' then 'suppressed' else 'not_subscribed' end`,
    })}
    from picked
    join cohorts c on c.id = picked.cohort_id
    left join subscribers s on s.id = picked.subscriber_id
    where d.edition_id = picked.edition_id and d.id = picked.id
    returning d.id, d.edition_id as "editionId", d.state, d.attempts, d.tag_ids as "tagIds", c.positions, s.address, s.key, d.domain,
      picked.provider, picked.unit`.execute(tx);
  const claimed = rows.filter((row) => row.state === "sending");
  if (rows.length > 0 || closed.length === 0) return { claimed, skipped: rows.length - claimed.length, heldBack: [] };
  const waiting = await sql<{ name: string }>`
    select distinct case when d.domain = any(${closed}::text[]) then d.domain else ${providerColumn} end as name
    from ${dueInTime} and not ${isNoneOf(closed)}`.execute(tx);
  return { claimed, skipped: 0, heldBack: waiting.rows.map((row) => row.name) };
}

/**
 * Frees claims. Those of an edition that was cancelled since are skipped, like the others that it had left.
 * @param reopen as in the effects: the edition may have finished without what was swept as lost
 */
async function unclaim(tx: Tx, claimant: Claimant, now: Date, reopen: DeliveryEffects["reopen"]): Promise<void> {
  const { rows } = await sql<Placed>`
    select d.edition_id as "editionId", d.id from deliveries d where ${isForgotten("deliveries", claimant)}`.execute(
    tx,
  );
  const ids = editionsOf(rows);
  await lockEditions(tx, ids);
  await unclaimRows(tx, "deliveries", claimant, now);
  await reopen(tx, rows, now);
  const editions = tx.selectFrom("editions").select("id").where("state", "=", "cancelled");
  for (const { id } of ids.length === 0 ? [] : await editions.where("id", "in", ids).execute()) {
    await skipOpen(tx, id, now);
  }
}

/**
 * Records outcomes of deliveries that `sender` was the last to claim. This also corrects a delivery that was swept as lost in
 * the meantime, and is now 'unknown', waiting or skipped. In a cancelled edition nothing is deferred.
 */
export async function settle(tx: Tx, sender: string, outcomes: readonly DeliveryOutcome[], now: Date): Promise<void> {
  if (outcomes.length === 0) return;
  // Serialises with a transaction that cancels or finishes the edition, so that no deferred delivery is overlooked.
  await lockEditions(tx, editionsOf(deferredOf(outcomes)));
  await sql`
    update deliveries d set ${changes("settle", {
      now,
      state: sql`case when not o.over then o.state when o.lost then 'unknown' else 'skipped' end`,
      due_at: sql`case when not o.over then o.due_at end`,
      reason_code: sql`case when o.over then 'edition_cancelled' else o.code end`,
      reason_data: sql`case when not o.over then o.data end`,
      reply: sql`case when d.subscriber_id is null then ${withoutAddresses(sql`o.reply`)} else o.reply end`,
    })}
    from (
      select g.*, g.state = 'deferred' and e.state = 'cancelled' as over
      from ${outcomeRows("deliveries", outcomes)}
      join editions e on e.id = g.edition_id
    ) o
    where d.edition_id = o.edition_id and d.id = o.id and d.claim = ${sender}::uuid and ${canMove("settle")}`.execute(
    tx,
  );
}

function deferredOf(outcomes: readonly DeliveryOutcome[]): DeliveryOutcome[] {
  return outcomes.filter((outcome) => outcome.state === "deferred");
}

function editionsOf(deliveries: readonly Placed[]): number[] {
  return [...new Set(deliveries.map(({ editionId }) => editionId))];
}

/** Locks the readers of deliveries. */
async function lockReadersOf(tx: Tx, deliveries: readonly Placed[]): Promise<void> {
  if (deliveries.length === 0) return;
  await lockReaders(
    tx,
    sql<boolean>`s.id in (
      select d.subscriber_id from deliveries d
      join unnest(${deliveries.map(({ editionId }) => editionId)}::bigint[], ${deliveries.map(({ id }) => id)}::bigint[])
        as g(edition_id, id) on g.edition_id = d.edition_id and g.id = d.id)`,
  );
}

/**
 * Suppresses the reader of a delivery whose address does not exist according to the relay.
 * @returns the address key; null if there is no active reader
 */
async function suppressReader(tx: Tx, { editionId, id }: DeliveryOutcome, now: Date): Promise<string | null> {
  const { rows } = await sql<{ addressKey: string }>`
    update subscribers s set status = 'suppressed', left_at = ${now}
    from deliveries d
    where d.edition_id = ${editionId} and d.id = ${id} and s.id = d.subscriber_id and s.status = 'active'
    returning s.address_key as "addressKey"`.execute(tx);
  return rows[0]?.addressKey ?? null;
}
