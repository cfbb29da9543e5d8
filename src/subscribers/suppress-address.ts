import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import { withoutAddress } from "../base/mask-address.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../ops/audit.ts";
import { parseAddress } from "./address.ts";
import { findSuppressed, isForGood, liftSuppression, suppress } from "./suppressions.ts";

export interface SuppressDeps {
  db: Db;
  clock: Clock;
  options: { secret: string };
}

/**
 * Sees to it, for an operator, that an address is never mailed again unless its owner confirms anew; with the reason
 * `complaint`, not even then. A subscriber with it is taken off the list at once.
 * @throws Refusal 422 for a wrong address
 */
export async function suppressAddress(
  { db, clock, options }: SuppressDeps,
  request: { address: string; reason: string; detail: string | null; actor: string },
): Promise<{ address: string; reason: string }> {
  const { address, key: addressKey } = parseAddress(request.address);
  // These outlive the reader, who must leave no trace when erased.
  const reason = withoutAddress(request.reason);
  const detail = request.detail === null ? null : withoutAddress(request.detail);
  const { actor } = request;
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    await suppress(tx, options.secret, { addressKey, reason, detail, now });
    await tx
      .updateTable("subscribers")
      .set({ status: "suppressed", left_at: now })
      .where("address_key", "=", addressKey)
      .where("status", "<>", "suppressed")
      .execute();
    await writeAudit(tx, { at: now, actor, action: "suppression add", subject: "suppressions", detail: { reason } });
    return { address, reason: (await findSuppressed(tx, options.secret, [addressKey])).get(addressKey)! };
  });
}

/**
 * Forgets why an address must not be mailed. It is still no subscriber's: only its owner can come back, by signing up.
 * @throws Refusal 422 for a wrong address, 404 when it is not suppressed, 409 when its owner has complained
 */
export async function unsuppressAddress(
  { db, clock, options }: SuppressDeps,
  request: { address: string; actor: string },
): Promise<void> {
  const { address, key } = parseAddress(request.address);
  const reason = (await findSuppressed(db, options.secret, [key])).get(key);
  if (reason === undefined) throw new Refusal(404, `${address} is not suppressed.`);
  if (isForGood(reason)) {
    throw new Refusal(409, `${address} stays suppressed: its owner called a mail spam, and is never mailed again.`);
  }
  await liftSuppression(db, options.secret, key);
  const entry = { at: clock.now(), actor: request.actor, action: "suppression remove", subject: "suppressions" };
  await writeAudit(db, { ...entry, detail: { reason } });
}
