import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { addressHash } from "./tokens.ts";

/** Codes in `suppressions.reason`. An operator can also write a reason in words, which is stored as it is. */
export type SuppressionReason = "complaint" | "bounce" | "erased" | "operator";

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
 * Suppresses an address. Only a keyed hash of it is stored.
 * @param entry.editionId the edition whose email was refused, so that its suppressions can be undone together
 */
export async function suppress(
  db: Db | Tx,
  secret: string,
  entry: { addressKey: string; reason: string; detail: string | null; now: Date; editionId?: number },
): Promise<void> {
  const editionId = entry.editionId ?? null;
  await db
    .insertInto("suppressions")
    .values({
      address_hash: addressHash(secret, entry.addressKey),
      reason: entry.reason,
      detail: entry.detail,
      created_at: entry.now,
      edition_id: editionId,
    })
    // A complaint replaces any other reason. A reason without an edition replaces one that an edition brought.
    .onConflict((conflict) =>
      conflict
        .column("address_hash")
        .doUpdateSet({ reason: entry.reason, detail: entry.detail, created_at: entry.now, edition_id: editionId })
        .where(
          () => sql<boolean>`suppressions.reason <> ${complaint} and (${entry.reason} = ${complaint}
            or suppressions.reason = ${erased} or suppressions.edition_id is not null and ${editionId}::bigint is null)`,
        ),
    )
    .execute();
}

/** Lifts a suppression that is not permanent. @returns whether there was one */
export async function liftSuppression(db: Db | Tx, secret: string, addressKey: string): Promise<boolean> {
  return liftHash(db, addressHash(secret, addressKey));
}

/** The same, by the hash. */
export async function liftHash(db: Db | Tx, hash: Buffer): Promise<boolean> {
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

export interface ListedSuppression {
  /** Hexadecimal. For an address without a subscriber, nothing else is stored. */
  hash: string;
  /** null without a suppressed subscriber. */
  address: string | null;
  reason: string;
  detail: string | null;
  createdAt: Date;
}

/** The suppression with a hash, or null. */
export async function findByHash(db: Db, hash: Buffer): Promise<Omit<ListedSuppression, "address"> | null> {
  const row = await db
    .selectFrom("suppressions")
    .select(["reason", "detail", "created_at as createdAt"])
    .where("address_hash", "=", hash)
    .executeTakeFirst();
  return row ? { hash: hash.toString("hex"), ...row } : null;
}

/** A page of suppressions by hash. @param page.after the last hash of the previous page, empty for the first */
export async function listSuppressions(
  db: Db,
  secret: string,
  page: { after: string; limit: number },
): Promise<ListedSuppression[]> {
  const rows = await db
    .selectFrom("suppressions")
    .select(["address_hash as hash", "reason", "detail", "created_at as createdAt"])
    .where("address_hash", ">", Buffer.from(page.after, "hex"))
    .orderBy("address_hash")
    .limit(page.limit)
    .execute();
  // A hash cannot be reversed, so the known addresses are hashed to find theirs.
  const known = rows.length === 0 ? [] : await suppressedAddresses(db);
  const byHash = new Map(known.map((one) => [addressHash(secret, one.address_key).toString("hex"), one.address]));
  return rows.map(({ hash, ...row }) => {
    const hex = hash.toString("hex");
    return { hash: hex, address: byHash.get(hex) ?? null, ...row };
  });
}

function suppressedAddresses(db: Db): Promise<{ address: string; address_key: string }[]> {
  return db.selectFrom("subscribers").select(["address", "address_key"]).where("status", "=", "suppressed").execute();
}
