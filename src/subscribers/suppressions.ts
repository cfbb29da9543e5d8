import { sql, type RawBuilder } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { OutcomeSource } from "../outcomes/store.ts";
import { lockAddresses } from "./lock.ts";
import { addressHash } from "./tokens.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import { withoutAddress, parseAnyAddress } from "../base/address.ts";
import { writeAudit } from "../audit/audit.ts";

/** Codes in `suppressions.reason`. An operator can also write a reason in words, which is stored as it is. */
export const suppressionReasons = ["bounce", "complaint", "unsubscribed", "erased", "operator"] as const;
export type SuppressionReason = (typeof suppressionReasons)[number];

/** Who said that an address must not be emailed: a way in for bounces and complaints, or the relay's reply. */
export type SuppressionSource = OutcomeSource | "relay";

/** The owner reported an email as spam. Nothing lifts this suppression. */
export const complaint = "complaint" satisfies SuppressionReason;

/** The address does not exist. */
export const bounce = "bounce" satisfies SuppressionReason;

/** The reader's data was erased, which an old list must not undo. Any other reason replaces this one. */
export const erased = "erased" satisfies SuppressionReason;

/** Whether a suppression stays even if the owner confirms. */
export function isForGood(reason: string): boolean {
  return reason === complaint;
}

/**
 * Suppresses an address. Only a keyed hash of it is stored. Lock a reader with this address first, see `lockReaders`.
 * @param entry.editionId the edition whose email was refused, so that its suppressions can be undone together
 * @returns whether this is new, or the reason has changed
 */
export async function suppress(
  db: Db | Tx,
  secret: string,
  entry: {
    addressKey: string;
    reason: string;
    detail: string | null;
    now: Date;
    editionId?: number;
    source?: SuppressionSource;
  },
): Promise<boolean> {
  const { reason, detail, now, editionId = null, source = null } = entry;
  const values = { reason, detail, created_at: now, edition_id: editionId, source };
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("suppressions")
    .values({ address_hash: addressHash(secret, entry.addressKey), ...values })
    // A complaint replaces any other reason. A reason without an edition replaces one that an edition brought.
    .onConflict((conflict) =>
      conflict
        .column("address_hash")
        .doUpdateSet(values)
        .where(
          () => sql<boolean>`suppressions.reason <> ${complaint} and (${reason} = ${complaint}
            or suppressions.reason = ${erased} or suppressions.edition_id is not null and ${editionId}::bigint is null)`,
        ),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Suppresses many addresses, by the rules of `suppress`.
 * @param entries with unique address keys
 * @returns the address keys whose suppression is new or has another reason now
 */
export async function suppressMany(
  tx: Tx,
  secret: string,
  entries: readonly { addressKey: string; reason: string; detail: string | null; at: Date }[],
): Promise<Set<string>> {
  if (entries.length === 0) return new Set();
  const hashed = entries.map((one) => ({ ...one, hash: addressHash(secret, one.addressKey) }));
  const keys = new Map(hashed.map(({ hash, addressKey }) => [hash.toString("hex"), addressKey]));
  const changed = await suppressHashes(tx, suppressionRows(hashed));
  return new Set(changed.map((hash) => keys.get(hash.toString("hex"))!));
}

/** Suppressions as rows `given` of a query. */
export function suppressionRows(
  entries: readonly { hash: Buffer; reason: string; detail: string | null; at: Date }[],
): RawBuilder<unknown> {
  return sql`
    select hash, reason, detail, at::timestamptz as at from unnest(
      ${entries.map(({ hash }) => hash)}::bytea[], ${entries.map(({ reason }) => reason)}::text[],
      ${entries.map(({ detail }) => detail)}::text[], ${entries.map(({ at }) => at.toISOString())}::text[]
    ) as given(hash, reason, detail, at)`;
}

/**
 * Suppresses the addresses whose hashes a query returns, by the rules of `suppress`.
 * @param rows with the columns of `suppressionRows`, unique by hash
 * @returns the hashes whose suppression is new or has another reason now
 */
export async function suppressHashes(tx: Tx, rows: RawBuilder<unknown>): Promise<Buffer[]> {
  const written = await sql<{ hash: Buffer }>`
    insert into suppressions (address_hash, reason, detail, created_at)
    select hash, reason, detail, at from (${rows}) as r order by hash
    on conflict (address_hash) do update
    set reason = excluded.reason, detail = excluded.detail, created_at = excluded.created_at, edition_id = null, source = null
    where suppressions.reason <> ${complaint} and (excluded.reason = ${complaint} or suppressions.edition_id is not null
      or suppressions.reason = ${erased} and excluded.reason <> ${erased})
    returning address_hash as hash`.execute(tx);
  return written.rows.map(({ hash }) => hash);
}

/** Lifts a suppression that is not permanent. Lock the reader first. @returns whether there was one */
export async function liftSuppression(db: Db | Tx, secret: string, addressKey: string): Promise<boolean> {
  return liftHash(db, addressHash(secret, addressKey));
}

/** The same, by the hash. */
async function liftHash(db: Db | Tx, hash: Buffer): Promise<boolean> {
  const result = await db
    .deleteFrom("suppressions")
    .where("address_hash", "=", hash)
    .where("reason", "<>", complaint)
    .executeTakeFirst();
  return result.numDeletedRows === 1n;
}

/** Lifts suppressions of erased readers who have agreed again. */
export async function liftErasures(tx: Tx, secret: string, addressKeys: readonly string[]): Promise<void> {
  if (addressKeys.length === 0) return;
  const hashes = addressKeys.map((key) => addressHash(secret, key));
  await tx.deleteFrom("suppressions").where("address_hash", "in", hashes).where("reason", "=", erased).execute();
}

/** The suppressed ones of these address keys, with the reason. */
export async function findSuppressed(
  db: Db | Tx,
  secret: string,
  addressKeys: readonly string[],
): Promise<Map<string, string>> {
  const found = await findSuppressions(db, secret, addressKeys);
  return new Map(Array.from(found, ([key, { reason }]) => [key, reason]));
}

export interface Suppression {
  reason: string;
  since: Date;
}

/** The same, with the time. */
export async function findSuppressions(
  db: Db | Tx,
  secret: string,
  addressKeys: readonly string[],
): Promise<Map<string, Suppression>> {
  if (addressKeys.length === 0) return new Map();
  const hashes = addressKeys.map((key) => addressHash(secret, key));
  const byHash = new Map(hashes.map((hash, i) => [hash.toString("hex"), addressKeys[i]!]));
  const rows = await db
    .selectFrom("suppressions")
    .select(["address_hash", "reason", "created_at as since"])
    .where("address_hash", "in", hashes)
    .execute();
  return new Map(rows.map(({ address_hash: hash, ...row }) => [byHash.get(hash.toString("hex"))!, row]));
}

/** The reason of the suppression with a hash, or null. */
async function findReason(db: Db, hash: Buffer): Promise<string | null> {
  const row = await db.selectFrom("suppressions").select("reason").where("address_hash", "=", hash).executeTakeFirst();
  return row?.reason ?? null;
}

/**
 * Marks readers as suppressed, and locks them and those who are suppressed already (see `lockReaders`). Suppress their addresses after
 * this.
 * @returns the address keys of those who were not suppressed
 */
export async function markSuppressed(tx: Tx, addressKeys: readonly string[], now: Date): Promise<Set<string>> {
  if (addressKeys.length === 0) return new Set();
  await lockAddresses(tx, addressKeys);
  const { rows } = await sql<{ key: string }>`
    update subscribers set status = 'suppressed', left_at = coalesce(left_at, ${now})
    where address_key = any(${addressKeys}::text[]) and status <> 'suppressed'
    returning address_key as key`.execute(tx);
  return new Set(rows.map(({ key }) => key));
}

export interface SuppressDeps {
  db: Db;
  clock: Clock;
  options: { secret: string };
}

/**
 * Suppresses an address for an operator until its owner confirms again; with the reason `complaint`, permanently. A
 * subscriber with this address becomes suppressed at once.
 * @throws Refusal 422 for a wrong address
 */
export async function suppressAddress(
  { db, clock, options }: SuppressDeps,
  request: { address: string; reason: string; detail: string | null; actor: string },
): Promise<{ address: string; reason: string }> {
  const { address, key: addressKey } = parseAnyAddress(request.address);
  // A suppression outlives the reader's erasure, so it must not contain the address.
  const reason = withoutAddress(request.reason);
  const detail = request.detail === null ? null : withoutAddress(request.detail);
  const { actor } = request;
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    await lockAddresses(tx, [addressKey]);
    await tx
      .updateTable("subscribers")
      .set({ status: "suppressed", left_at: now })
      .where("address_key", "=", addressKey)
      .where("status", "<>", "suppressed")
      .execute();
    await suppress(tx, options.secret, { addressKey, reason, detail, now });
    await writeAudit(tx, { at: now, actor, action: "suppression add", subject: "suppressions", detail: { reason } });
    return { address, reason: (await findSuppressed(tx, options.secret, [addressKey])).get(addressKey)! };
  });
}

/**
 * Lifts a suppression. The reader is not subscribed by this: only a sign-up brings them back.
 * @throws Refusal 422 for a wrong address, 404 when it is not suppressed, 409 after a complaint
 */
export async function unsuppressAddress(
  deps: SuppressDeps,
  request: { address: string; actor: string },
): Promise<void> {
  const { address, key } = parseAnyAddress(request.address);
  const hash = addressHash(deps.options.secret, key);
  if ((await findReason(deps.db, hash)) === null) {
    throw new Refusal(404, "address_not_suppressed", { address });
  }
  await unsuppress(deps, { hash: hash.toString("hex"), actor: request.actor });
}

/**
 * The same as `unsuppressAddress`, by the suppression's hash.
 * @param request.hash hexadecimal
 * @throws Refusal 404 when there is no such suppression, 409 after a complaint
 */
export async function unsuppress({ db, clock }: SuppressDeps, request: { hash: string; actor: string }): Promise<void> {
  const hash = Buffer.from(request.hash, "hex");
  const reason = await findReason(db, hash);
  if (reason === null) throw new Refusal(404, "suppression_not_found");
  if (isForGood(reason)) throw new Refusal(409, "suppression_permanent");
  await liftHash(db, hash);
  const entry = { at: clock.now(), actor: request.actor, subject: "suppressions" };
  await writeAudit(db, { ...entry, action: "suppression remove", detail: { reason } });
}

/** The same as `countSuppressed` for several editions, by their id. Editions without any are missing. */
export async function countSuppressedByEdition(db: Db, editionIds: readonly number[]): Promise<Map<number, number>> {
  if (editionIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("suppressions")
    .select(["edition_id", (eb) => eb.fn.countAll<number>().as("count")])
    .where("edition_id", "in", editionIds)
    .where("reason", "<>", complaint)
    .groupBy("edition_id")
    .execute();
  return new Map(rows.map(({ edition_id, count }) => [edition_id!, count]));
}

/** How many addresses are suppressed because of an edition's emails. */
export async function countSuppressed(db: Db | Tx, editionId: number): Promise<number> {
  const row = await db
    .selectFrom("suppressions")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("edition_id", "=", editionId)
    .where("reason", "<>", complaint)
    .executeTakeFirstOrThrow();
  return row.count;
}
