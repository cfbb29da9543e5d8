import { sql, type RawBuilder } from "kysely";
import type { Tx } from "../db/schema.ts";
import type { DeliveryState } from "../editions/state.ts";
import { withoutAddresses } from "../base/mask-address.ts";
import { expiry } from "./store.ts";

/** A delivery that this process has claimed and must now send. */
export interface ClaimedDelivery {
  id: number;
  attempts: number;
  positions: number[];
  tagIds: number[];
  address: string;
  key: Buffer;
}

/** What became of a claimed delivery. */
export interface Outcome {
  id: number;
  state: Exclude<DeliveryState, "pending" | "sending" | "skipped">;
  reply: string;
  dueAt: Date | null;
  /** The address does not exist: its reader must not be mailed again. */
  suppress?: boolean;
  /** The answer was lost. Unless the email is sent again, its outcome is unknown. */
  lost?: boolean;
}

/**
 * Claims up to `count` due deliveries of a slice for `sender`, and checks consent again: readers who are no longer active
 * are skipped, with the reason. Nothing is claimed unless the edition is being sent, so a pause takes effect at the next
 * claim. Commit before SMTP sees any of it.
 */
export async function claim(
  tx: Tx,
  request: { editionId: number; slice: number; sender: string; count: number; now: Date },
): Promise<{ claimed: ClaimedDelivery[]; skipped: number }> {
  const { rows } = await sql<ClaimedDelivery & { state: DeliveryState }>`
    with picked as (
      select d.id from deliveries d
      join editions e on e.id = d.edition_id and e.state = 'sending'
      where d.edition_id = ${request.editionId} and d.slice = ${request.slice}
        and coalesce(${expiry} > ${request.now}, true)
        and ((d.state = 'pending' and d.due_at is null)
          or (d.state in ('pending', 'deferred') and d.due_at <= ${request.now}))
      order by d.id limit ${request.count}
      for update of d skip locked
    )
    update deliveries d set
      state = case when s.status = 'active' then 'sending' else 'skipped' end,
      attempts = d.attempts + case when s.status = 'active' then 1 else 0 end,
      claim = case when s.status = 'active' then ${request.sender}::uuid end,
      claimed_at = case when s.status = 'active' then ${request.now}::timestamptz end,
      settled_at = case when s.status = 'active' then null else ${request.now}::timestamptz end,
      reply = case when s.status = 'active' then d.reply else coalesce('subscriber is ' || s.status, 'subscriber was erased') end
    from picked
    join deliveries x on x.id = picked.id
    join cohorts c on c.id = x.cohort_id
    left join subscribers s on s.id = x.subscriber_id
    where d.id = picked.id
    returning d.id, d.state, d.attempts, d.tag_ids as "tagIds", c.positions, s.address, s.key`.execute(tx);
  const claimed = rows.filter((row) => row.state === "sending");
  return { claimed, skipped: rows.length - claimed.length };
}

/**
 * Writes outcomes down, for rows that `sender` was the last to claim: one that was given up for dead meanwhile, and is
 * 'unknown', waiting or skipped by now, still takes the true outcome. In a cancelled edition nothing is put off.
 */
export async function settle(tx: Tx, sender: string, outcomes: readonly Outcome[], now: Date): Promise<void> {
  if (outcomes.length === 0) return;
  // An edition that is being cancelled or finished at this moment must see what is put off, or be seen.
  const deferred = outcomes.filter((outcome) => outcome.state === "deferred").map((outcome) => outcome.id);
  if (deferred.length > 0) await holdEditions(tx, sql`id = any(${deferred}::bigint[])`);
  await sql`
    update deliveries d set
      state = case when not o.over then o.state when o.lost then 'unknown' else 'skipped' end,
      reply = case when o.over then 'the edition was cancelled; last answer: ' else '' end
        || case when d.subscriber_id is null then ${withoutAddresses(sql`o.reply`)} else o.reply end,
      due_at = case when not o.over then o.due_at::timestamptz end,
      claim = null, settled_at = ${now}
    from (
      select g.*, g.state = 'deferred' and e.state = 'cancelled' as over
      from unnest(
        ${outcomes.map((o) => o.id)}::bigint[], ${outcomes.map((o) => o.state)}::text[],
        ${outcomes.map((o) => o.reply)}::text[], ${outcomes.map((o) => o.dueAt?.toISOString() ?? null)}::text[],
        ${outcomes.map((o) => o.lost === true)}::boolean[]
      ) as g(id, state, reply, due_at, lost)
      join deliveries x on x.id = g.id
      join editions e on e.id = x.edition_id
    ) o
    where d.id = o.id and d.claim = ${sender}::uuid`.execute(tx);
}

/** Keeps the state of the editions that have such deliveries as it is until the transaction ends. */
export async function holdEditions(tx: Tx, deliveries: RawBuilder<unknown>): Promise<void> {
  await sql`
    select id from editions where id in (select edition_id from deliveries where ${deliveries})
    order by id for no key update`.execute(tx);
}

/**
 * Frees rows that `sender` has claimed without ever hearing of it, because the answer to the commit was lost: nobody has
 * sent them. @param held the claims it knows of
 */
export async function unclaimLost(tx: Tx, sender: string, held: readonly number[]): Promise<void> {
  await sql`
    update deliveries set state = 'pending', claim = null, claimed_at = null, attempts = attempts - 1
    where state = 'sending' and claim = ${sender}::uuid and id <> all(${held}::bigint[])`.execute(tx);
}

/**
 * Takes readers off the list whose addresses the relay says do not exist.
 * @returns their address keys, and the editions whose mail was refused
 */
export async function suppressReaders(
  tx: Tx,
  deliveryIds: readonly number[],
  now: Date,
): Promise<{ addressKey: string; editionId: number }[]> {
  const { rows } = await sql<{ addressKey: string; editionId: number }>`
    update subscribers s set status = 'suppressed', left_at = ${now}
    from deliveries d
    where d.id = any(${deliveryIds}::bigint[]) and s.id = d.subscriber_id and s.status = 'active'
    returning s.address_key as "addressKey", d.edition_id as "editionId"`.execute(tx);
  return rows;
}
