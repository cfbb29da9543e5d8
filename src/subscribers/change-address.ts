import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import { maskAddress, parseAddress } from "../base/address.ts";
import type { Log } from "../base/log.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { addOwnAct, dropUnconfirmed } from "./consents.ts";
import { eraseIn, eraseTraces } from "./erase.ts";
import { lockReaders } from "./lock.ts";
import { addNotice } from "./notices.ts";
import { noteOwnAct } from "./questions.ts";
import { findByAddress, findSubscriber, type Subscriber } from "./store.ts";
import { findSuppressed, isForGood, liftSuppression } from "./suppressions.ts";
import { readExpiringToken } from "./tokens.ts";

export interface ChangeDeps {
  db: Db;
  clock: Clock;
  log: Log;
  wake: Wake;
  options: { secret: string };
  /** Whether an unconfirmed address can get another email. */
  mayMail?(addressKey: string): Promise<boolean>;
}

export interface AddressChange {
  subscriberId: number;
  /** The new address. */
  address: string;
  requestedAt: Date;
  requestedFrom: string | null;
}

/**
 * Emails the new mailbox to confirm a change of address; nothing changes until then. The outcome is visible only in the new
 * mailbox, so that nobody learns whether another address is subscribed.
 * @param from the client's network address, for the consent record
 * @throws Refusal 422 for a wrong address or the present one, 409 for a reader who is not active
 */
export async function changeAddress(
  deps: ChangeDeps,
  id: number,
  newAddress: string,
  from: string | null,
): Promise<void> {
  const { address, key: addressKey } = parseAddress(newAddress);
  const reader = await findSubscriber(deps.db, id);
  if (reader?.status !== "active") {
    throw new Refusal(409, "change_not_subscribed");
  }
  if (reader.address.toLowerCase() === addressKey) {
    throw new Refusal(422, "change_same_address");
  }
  if (deps.mayMail && !(await deps.mayMail(addressKey))) return;
  const now = deps.clock.now();
  await deps.db.transaction().execute((tx) => requestChange(tx, id, { address, key: addressKey }, { now, from }));
  await deps.wake("send-notices", {});
}

/** Queues the email to the new mailbox. Wake `send-notices` after the transaction. */
export async function requestChange(
  tx: Tx,
  id: number,
  { address, key }: { address: string; key: string },
  { now, from }: { now: Date; from: string | null },
): Promise<void> {
  const { id: changeId } = await tx
    .insertInto("address_changes")
    .values({
      key: randomBytes(16),
      subscriber_id: id,
      address,
      address_key: key,
      created_at: now,
      requested_from: from,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await addNotice(tx, { kind: "change", subscriberId: id, address, payload: { changeId } }, now);
}

/**
 * The address change of a link, for its page. Changes nothing.
 * @returns null for an invalid or used token
 * @throws Refusal 410 for an expired token
 */
export async function readAddressChange(
  { db, clock, options }: Pick<ChangeDeps, "db" | "clock" | "options">,
  token: string,
): Promise<AddressChange | null> {
  const read = readExpiringToken(options.secret, "change-address", token);
  if (!read) return null;
  const row = await db
    .selectFrom("address_changes")
    .select([
      "subscriber_id as subscriberId",
      "address",
      "created_at as requestedAt",
      "requested_from as requestedFrom",
    ])
    .where("key", "=", read.key)
    .executeTakeFirst();
  if (row && read.expiresAt <= clock.now()) {
    throw new Refusal(410, "change_link_expired");
  }
  return row ?? null;
}

/**
 * Confirms a change of address, even if the former address has bounced since. The former mailbox gets a notice.
 * An inactive subscription of the new address is deleted.
 * @throws Refusal 404 for an invalid or used token, 410 for an expired one, 403 if either address has complained, 409 if
 * the new address is subscribed or the reader has unsubscribed
 */
export async function confirmAddressChange(deps: ChangeDeps, token: string, from: string | null): Promise<Subscriber> {
  const found = await readAddressChange(deps, token);
  if (!found) throw usedUp();
  const { db, clock, options } = deps;
  const addressKey = found.address.toLowerCase();
  await db.transaction().execute(async (tx) => {
    // Before any reader is locked. It is undone if the change is refused.
    const other = await findByAddress(tx, addressKey);
    if (other && other.id !== found.subscriberId) await eraseTraces(tx, other);
    await lockReaders(tx, sql<boolean>`(s.id = ${found.subscriberId} or s.address_key = ${addressKey})`, "key");
    const reader = await tx
      .selectFrom("subscribers")
      .select(["status", "address", "address_key"])
      .where("id", "=", found.subscriberId)
      .executeTakeFirst();
    const open = await tx
      .deleteFrom("address_changes")
      .where("subscriber_id", "=", found.subscriberId)
      .executeTakeFirst();
    if (!reader || open.numDeletedRows === 0n) throw usedUp();
    if (reader.status !== "active" && reader.status !== "suppressed") {
      throw new Refusal(409, "change_unsubscribed");
    }
    const reasons = await findSuppressed(tx, options.secret, [addressKey, reader.address_key]);
    if ([...reasons.values()].some(isForGood)) {
      throw new Refusal(403, "change_complained");
    }
    const now = clock.now();
    await makeRoom(tx, addressKey, found.subscriberId, now);
    await liftSuppression(tx, options.secret, addressKey);
    await tx
      .updateTable("subscribers")
      .set({
        address: found.address,
        address_key: addressKey,
        address_hash: null,
        status: "active",
        left_at: null,
      })
      .where("id", "=", found.subscriberId)
      .execute();
    await noteOwnAct(tx, found.subscriberId, now);
    await dropUnconfirmed(tx, found.subscriberId);
    await addOwnAct(tx, (await findSubscriber(tx, found.subscriberId))!, {
      method: "address_change",
      requestedAt: found.requestedAt,
      requestedFrom: found.requestedFrom,
      confirmedAt: now,
      confirmedFrom: from,
    });
    // The former mailbox is notified, because somebody with a reader's link could have moved the subscription.
    const payload = { to: maskAddress(found.address) };
    await addNotice(tx, { kind: "moved", subscriberId: found.subscriberId, address: reader.address, payload }, now);
  });
  deps.log.info({ subscriber: found.subscriberId }, "reader changed address");
  await deps.wake("send-notices", {});
  return (await findSubscriber(db, found.subscriberId))!;
}

function usedUp(): Refusal {
  return new Refusal(404, "change_link_invalid");
}

async function makeRoom(tx: Tx, addressKey: string, forId: number, now: Date): Promise<void> {
  const other = await findByAddress(tx, addressKey);
  if (!other || other.id === forId) return;
  if (other.status === "active") {
    throw new Refusal(409, "change_address_taken");
  }
  await eraseIn(tx, other, now);
}
