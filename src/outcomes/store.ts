import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { refusalKind, type BounceKind } from "./bounce-kind.ts";
import { lookedBack, saysDisabled, type Fate } from "./soft-row.ts";
import { joinProvider, providerColumn } from "../providers/store.ts";

/** What can become of an email after the relay has accepted it. */
export const laterOutcomes = ["bounced", "complained"] as const;
export type LaterOutcome = (typeof laterOutcomes)[number];

/** The email services whose webhooks are understood. */
export const emailServices = ["ses", "sendgrid", "mailgun", "postmark", "brevo", "sparkpost"] as const;
export type EmailService = (typeof emailServices)[number];

/**
 * How an outcome became known. `api`: a program of the publisher reported it. `listener`: an email to the return path said so.
 * `imap`: the same, but the email was read from a mailbox. The others: a webhook of this email service.
 */
export const outcomeSources = ["api", "listener", "imap", ...emailServices] as const;
export type OutcomeSource = (typeof outcomeSources)[number];

/** A delivery that can have bounced, and its reader. */
export interface HandedDelivery {
  id: number;
  editionId: number;
  /** null when the reader was erased. */
  reader: { id: number; addressKey: string; active: boolean } | null;
  /** The mailbox provider; null when the reader was erased. */
  provider: string | null;
  handedAt: Date | null;
}

/**
 * The last email to an address that the relay has accepted, or whose reply was lost.
 * @param which.edition only this one @param which.before handed over before this time
 */
export async function findHanded(
  tx: Tx,
  which: { addressKey: string; editionId: number | null; before: Date },
): Promise<HandedDelivery | null> {
  const { rows } = await sql<Omit<HandedDelivery, "reader"> & { readerId: number; active: boolean }>`
    select d.id, d.edition_id as "editionId", s.id as "readerId", s.status = 'active' as active,
      nullif(${providerColumn}, '') as provider, d.settled_at as "handedAt"
    from subscribers s join deliveries d on d.subscriber_id = s.id ${joinProvider}
    where s.address_key = ${which.addressKey} and d.state in ('sent', 'unknown')
      and (d.edition_id = ${which.editionId}::bigint or ${which.editionId}::bigint is null and d.settled_at <= ${which.before})
    order by d.settled_at desc limit 1`.execute(tx);
  const [row] = rows;
  if (!row) return null;
  const { readerId, active, ...delivery } = row;
  return { ...delivery, reader: { id: readerId, addressKey: which.addressKey, active } };
}

/**
 * A delivery by its id, with its reader if they have the same address as then. It can still be `sending`: a bounce can come back before
 * the relay's reply is stored.
 * @param isSame whether an address is that one
 */
export async function findHandedById(
  tx: Tx,
  { editionId, id }: { editionId: number; id: number },
  isSame: (address: string) => boolean,
): Promise<HandedDelivery | null> {
  const row = await tx
    .selectFrom("deliveries as d")
    .leftJoin("subscribers as s", "s.id", "d.subscriber_id")
    .leftJoin("provider_domains as p", "p.domain", "d.domain")
    .select(["s.id as readerId", "s.address_key as addressKey", "s.status", "d.settled_at as handedAt"])
    .select(sql<string | null>`nullif(${providerColumn}, '')`.as("provider"))
    .where("d.edition_id", "=", editionId)
    .where("d.id", "=", id)
    .where("d.state", "in", ["sending", "sent", "unknown"])
    .executeTakeFirst();
  if (!row) return null;
  const { readerId, addressKey, status, ...delivery } = row;
  const known = readerId !== null && addressKey !== null && isSame(addressKey);
  const reader = known ? { id: readerId, addressKey, active: status === "active" } : null;
  return { id, editionId, reader, ...delivery };
}

/** The address of a notice that can have bounced, or null. */
export async function findNoticeAddress(tx: Tx, id: number): Promise<string | null> {
  const row = await tx
    .selectFrom("notices")
    .select("address")
    .where("id", "=", id)
    .where("state", "in", ["sending", "sent", "unknown"])
    .executeTakeFirst();
  return row?.address ?? null;
}

/** The delivery of an edition to a reader; null without one. */
export async function findDeliveryOf(
  db: Db,
  about: { readerId: number; date: string; number: number },
): Promise<{ editionId: number; id: number } | null> {
  const row = await db
    .selectFrom("deliveries as d")
    .innerJoin("editions as e", "e.id", "d.edition_id")
    .select(["d.edition_id as editionId", "d.id"])
    .where("e.date", "=", about.date)
    .where("e.number", "=", about.number)
    .where("d.subscriber_id", "=", about.readerId)
    .executeTakeFirst();
  return row ?? null;
}

/** The notices that were queued for a reader. */
export async function noticesOf(db: Db, readerId: number): Promise<{ id: number; createdAt: Date }[]> {
  return db
    .selectFrom("notices")
    .select(["id", "created_at as createdAt"])
    .where("subscriber_id", "=", readerId)
    .execute();
}

/** The outcomes of an edition's emails. */
export interface OutcomeCounts extends Record<BounceKind, number> {
  complained: number;
  /** Addresses that the outcomes said to suppress. */
  gone: number;
  /** Those of them that were not suppressed, because they were too many. */
  spared: number;
}

/** The counts of an edition, locked until the transaction ends, so that its outcomes are recorded one after the other. */
export async function lockCounts(tx: Tx, editionId: number): Promise<OutcomeCounts> {
  return tx
    .insertInto("outcome_counts")
    .values({ edition_id: editionId })
    .onConflict((conflict) => conflict.column("edition_id").doUpdateSet({ edition_id: editionId }))
    .returning(["hard", "soft", "policy", "complained", "gone", "spared"])
    .executeTakeFirstOrThrow();
}

/** The same to read; all are 0 if nothing was reported. */
export async function countOutcomes(db: Db, editionId: number): Promise<OutcomeCounts> {
  return (await countOutcomesOf(db, [editionId])).get(editionId)!;
}

/** The same for several editions, by their id. */
export async function countOutcomesOf(db: Db, editionIds: readonly number[]): Promise<Map<number, OutcomeCounts>> {
  const counts = new Map(editionIds.map((id) => [id, none]));
  if (editionIds.length === 0) return counts;
  const rows = await db.selectFrom("outcome_counts").selectAll().where("edition_id", "in", editionIds).execute();
  for (const { edition_id: id, ...row } of rows) counts.set(id, row);
  return counts;
}

const none: OutcomeCounts = { hard: 0, soft: 0, policy: 0, complained: 0, gone: 0, spared: 0 };

export async function writeCounts(tx: Tx, editionId: number, counts: OutcomeCounts): Promise<void> {
  await tx.updateTable("outcome_counts").set(counts).where("edition_id", "=", editionId).execute();
}

export interface StoredOutcome {
  outcome: LaterOutcome;
  /** null for a complaint. */
  kind: BounceKind | null;
  code: string | null;
  /** The server's words, without addresses. */
  text: string | null;
  source: OutcomeSource;
  /** Whether it was read from a message for people, because it had no part for programs. */
  guess: boolean;
  /** When it happened, as the report says. */
  at: Date;
}

/** The outcome of a delivery that is already recorded, or null. Lock the edition's counts first. */
export async function recordedKind(
  tx: Tx,
  { id, editionId }: HandedDelivery,
  outcome: LaterOutcome,
): Promise<{ kind: BounceKind | null } | null> {
  const row = await tx
    .selectFrom("delivery_outcomes")
    .select("kind")
    .where("edition_id", "=", editionId)
    .where("delivery_id", "=", id)
    .where("outcome", "=", outcome)
    .executeTakeFirst();
  return row ?? null;
}

/** Writes an outcome, over one of the same delivery that said less. */
export async function writeOutcome(
  tx: Tx,
  { id, editionId }: HandedDelivery,
  { outcome, at, ...said }: StoredOutcome,
  now: Date,
): Promise<void> {
  const values = { ...said, happened_at: at, recorded_at: now };
  await tx
    .insertInto("delivery_outcomes")
    .values({ edition_id: editionId, delivery_id: id, outcome, ...values })
    .onConflict((conflict) => conflict.columns(["edition_id", "delivery_id", "outcome"]).doUpdateSet(values))
    .execute();
}

/**
 * What became of the last emails to some readers, the newest first: those that the relay accepted, and those that it refused. Readers
 * without any are missing.
 */
export async function lastFates(db: Db | Tx, readers: readonly number[]): Promise<Map<number, Fate[]>> {
  const { rows } = await sql<FateRow>`
    select f.* from unnest(${readers}::bigint[]) as r(id) cross join lateral (
      ${selectFates} where d.subscriber_id = r.id and ${hasFate} order by d.settled_at desc limit ${lookedBack}
    ) f order by f.reader, f.at desc`.execute(db);
  return byReader(rows);
}

/** What became of the emails to some readers since `since`, the newest first. Readers without any are missing. */
export async function fatesSince(db: Db | Tx, readers: readonly number[], since: Date): Promise<Map<number, Fate[]>> {
  const { rows } = await sql<FateRow>`
    ${selectFates}
    where d.edition_id = any(${await recentEditions(db, since)}::bigint[]) and d.subscriber_id = any(${readers}::bigint[])
      and ${hasFate} and d.settled_at >= ${since}
    order by d.settled_at desc`.execute(db);
  return byReader(rows);
}

function byReader(rows: readonly FateRow[]): Map<number, Fate[]> {
  const fates = new Map<number, Fate[]>();
  for (const row of rows) {
    const known = fates.get(row.reader);
    if (known) known.push(fateOf(row));
    else fates.set(row.reader, [fateOf(row)]);
  }
  return fates;
}

interface FateRow {
  reader: number;
  at: Date;
  kind: BounceKind | null;
  said: string;
  /** Of a delivery that the relay did not take. */
  reply: string | null;
}

const selectFates = sql`
  select d.subscriber_id as reader, d.settled_at as at, o.kind, concat_ws(' ', o.code, o.text) as said,
    case when d.state in ('rejected', 'expired') then d.reply end as reply
  from deliveries d
  left join delivery_outcomes o on o.edition_id = d.edition_id and o.delivery_id = d.id and o.outcome = 'bounced'`;

const hasFate = sql<boolean>`(d.settled_at is not null
  and (d.state in ('sent', 'unknown') or d.state in ('rejected', 'expired') and d.reply is not null))`;

function fateOf({ at, kind, said, reply }: FateRow): Fate {
  return { at, bounced: reply === null ? kind : refusalKind(reply), disabled: saysDisabled(reply ?? said) };
}

/** A delivery that the relay did not take, and the reply with which it refused or last deferred it. */
export interface RefusedDelivery {
  id: number;
  editionId: number;
  reader: { id: number; addressKey: string };
  reply: string;
}

/** Editions closed since a time whose refusals were not read yet, the oldest first. */
export async function unreadEditions(db: Db, since: Date): Promise<number[]> {
  const rows = await db
    .selectFrom("editions as e")
    .leftJoin("outcome_counts as c", "c.edition_id", "e.id")
    .select("e.id")
    .where("e.closed_at", ">=", since)
    .where(sql<boolean>`c.refusals_read is not true`)
    .orderBy("e.id")
    .execute();
  return rows.map(({ id }) => id);
}

export async function markRefusalsRead(db: Db, editionId: number): Promise<void> {
  await db
    .insertInto("outcome_counts")
    .values({ edition_id: editionId, refusals_read: true })
    .onConflict((conflict) => conflict.column("edition_id").doUpdateSet({ refusals_read: true }))
    .execute();
}

/** Deliveries of an edition that the relay did not take, to active readers, in the order of their ids. @param page.after the last id before */
export async function refusedDeliveries(
  db: Db,
  editionId: number,
  page: { after: number; limit: number },
): Promise<RefusedDelivery[]> {
  const rows = await db
    .selectFrom("deliveries as d")
    .innerJoin("subscribers as s", "s.id", "d.subscriber_id")
    .select(["d.id", "d.reply", "s.id as readerId", "s.address_key as addressKey"])
    .where("d.edition_id", "=", editionId)
    .where("d.id", ">", page.after)
    .where("d.state", "in", ["rejected", "expired"])
    .where("d.reply", "is not", null)
    .where("s.status", "=", "active")
    .orderBy("d.id")
    .limit(page.limit)
    .execute();
  return rows.map(({ id, reply, readerId, addressKey }) => {
    return { id, editionId, reply: reply!, reader: { id: readerId, addressKey } };
  });
}

export async function isActive(tx: Tx, readerId: number): Promise<boolean> {
  const row = await tx.selectFrom("subscribers").select("status").where("id", "=", readerId).executeTakeFirst();
  return row?.status === "active";
}

/** Readers of whose emails since `since` at least `least` have bounced softly or were not taken by the relay, by id. */
export async function readersWithFailures(db: Db, { since, least }: { since: Date; least: number }): Promise<number[]> {
  const editions = sql`any(${await recentEditions(db, since)}::bigint[])`;
  const { rows } = await sql<{ id: number }>`
    with failed as (
      select d.subscriber_id, d.settled_at from delivery_outcomes o
      join deliveries d on d.edition_id = o.edition_id and d.id = o.delivery_id
      where o.edition_id = ${editions} and o.outcome = 'bounced' and o.kind = 'soft'
      union all
      select d.subscriber_id, d.settled_at from deliveries d
      where d.edition_id = ${editions} and d.state in ('rejected', 'expired') and d.reply is not null
    )
    select subscriber_id as id from failed where settled_at >= ${since} and subscriber_id is not null
    group by 1 having count(*) >= ${least} order by 1`.execute(db);
  return rows.map(({ id }) => id);
}

/** Editions whose emails can have been sent since `since`, by id, so that other partitions of the deliveries are left alone. */
async function recentEditions(db: Db | Tx, since: Date): Promise<number[]> {
  const rows = await db
    .selectFrom("editions")
    .select("id")
    .where("frozen_at", "is not", null)
    .where((eb) => eb.or([eb("closed_at", "is", null), eb("closed_at", ">=", since)]))
    .execute();
  return rows.map(({ id }) => id);
}
