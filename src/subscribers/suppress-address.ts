import type { Clock } from "../base/clock.ts";
import { Refusal } from "../base/errors.ts";
import { withoutAddress } from "../base/mask-address.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { parseAnyAddress } from "../base/address.ts";
import { findByHash, findSuppressed, isForGood, liftHash, suppress, type ListedSuppression } from "./suppressions.ts";
import { addressHash } from "./tokens.ts";

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
  const { address, key: addressKey } = parseAnyAddress(request.address);
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
  deps: SuppressDeps,
  request: { address: string; actor: string },
): Promise<void> {
  const { hash } = await findSuppression(deps, request.address);
  await unsuppress(deps, { hash, actor: request.actor });
}

/**
 * What keeps an address from being mailed.
 * @throws Refusal 422 for a wrong address, 404 when it is not suppressed
 */
export async function findSuppression(
  { db, options }: SuppressDeps,
  raw: string,
): Promise<Omit<ListedSuppression, "address"> & { address: string }> {
  const { address, key } = parseAnyAddress(raw);
  const found = await findByHash(db, addressHash(options.secret, key));
  if (!found) throw new Refusal(404, `${address} is not suppressed.`);
  return { address, ...found };
}

/**
 * The same as `unsuppressAddress`, by the suppression's hash.
 * @param request.hash hexadecimal
 * @throws Refusal 404 when there is no such suppression, 409 when its owner has complained
 */
export async function unsuppress({ db, clock }: SuppressDeps, request: { hash: string; actor: string }): Promise<void> {
  const hash = Buffer.from(request.hash, "hex");
  const found = await findByHash(db, hash);
  if (!found) throw new Refusal(404, "There is no such suppression: `dayletter suppressions list` shows them.");
  if (isForGood(found.reason)) {
    throw new Refusal(409, "This address stays suppressed: its owner called a mail spam, and is never mailed again.");
  }
  await liftHash(db, hash);
  const entry = { at: clock.now(), actor: request.actor, subject: "suppressions" };
  await writeAudit(db, { ...entry, action: "suppression remove", detail: { reason: found.reason } });
}
