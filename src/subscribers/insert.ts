import { randomBytes } from "node:crypto";
import type { Tx } from "../db/schema.ts";
import { addVouchedConsents, type VouchedConsent } from "./consents.ts";
import { addSubscriberTags } from "./preferences.ts";

export interface NewSubscriber {
  address: string;
  addressKey: string;
  status: "pending" | "active";
  allTags: boolean;
  tagIds: readonly number[];
  /** IANA name; the publication's when missing. */
  timezone?: string | null;
  confirmedAt: Date | null;
  consent: VouchedConsent["consent"];
}

/**
 * Inserts subscribers with tags and consent records. Addresses that already exist are skipped.
 * @returns the inserted address keys
 */
export async function insertSubscribers(tx: Tx, news: readonly NewSubscriber[], now: Date): Promise<Set<string>> {
  if (news.length === 0) return new Set();
  const inserted = await tx
    .insertInto("subscribers")
    .values(
      news.map((one) => ({
        key: randomBytes(16),
        address: one.address,
        address_key: one.addressKey,
        status: one.status,
        all_tags: one.allTags,
        timezone: one.timezone ?? null,
        created_at: now,
        confirmed_at: one.confirmedAt,
      })),
    )
    .onConflict((conflict) => conflict.column("address_key").doNothing())
    .returning(["id", "address_key"])
    .execute();
  const ids = new Map(inserted.map((row) => [row.address_key, row.id]));
  const added = news.filter((one) => ids.has(one.addressKey));
  await addSubscriberTags(
    tx,
    added.map((one) => ({ id: ids.get(one.addressKey)!, tagIds: one.tagIds })),
  );
  await addVouchedConsents(
    tx,
    added.map((one) => ({ ...one, subscriberId: ids.get(one.addressKey)! })),
    now,
  );
  return new Set(ids.keys());
}

/** Inserts a pending reader unless the address exists. The requested tags are in the consent. */
export async function insertPending(tx: Tx, one: { address: string; addressKey: string }, now: Date): Promise<void> {
  await tx
    .insertInto("subscribers")
    .values({
      key: randomBytes(16),
      address: one.address,
      address_key: one.addressKey,
      status: "pending",
      created_at: now,
    })
    .onConflict((conflict) => conflict.column("address_key").doNothing())
    .execute();
}
