import type { Db, Tx } from "../db/schema.ts";
import { addressHash } from "./tokens.ts";

/** Remembers, by a keyed hash alone, that an address must never be mailed again. */
export async function suppress(
  db: Db | Tx,
  secret: string,
  entry: { addressKey: string; reason: string; detail: string | null; now: Date },
): Promise<void> {
  await db
    .insertInto("suppressions")
    .values({
      address_hash: addressHash(secret, entry.addressKey),
      reason: entry.reason,
      detail: entry.detail,
      created_at: entry.now,
    })
    .onConflict((conflict) => conflict.column("address_hash").doNothing())
    .execute();
}

/** Of these address keys, those that must not be mailed, with the reason. */
export async function findSuppressed(
  db: Db | Tx,
  secret: string,
  addressKeys: readonly string[],
): Promise<Map<string, string>> {
  if (addressKeys.length === 0) return new Map();
  const byHash = new Map(addressKeys.map((key) => [addressHash(secret, key).toString("hex"), key]));
  const rows = await db
    .selectFrom("suppressions")
    .select(["address_hash", "reason"])
    .where("address_hash", "in", addressKeys.map((key) => addressHash(secret, key)))
    .execute();
  return new Map(rows.map((row) => [byHash.get(row.address_hash.toString("hex"))!, row.reason]));
}
