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
 * Lifts a suppression. The reader is not subscribed by this: only a sign-up brings them back.
 * @throws Refusal 422 for a wrong address, 404 when it is not suppressed, 409 after a complaint
 */
export async function unsuppressAddress(
  deps: SuppressDeps,
  request: { address: string; actor: string },
): Promise<void> {
  const { hash } = await findSuppression(deps, request.address);
  await unsuppress(deps, { hash, actor: request.actor });
}

/**
 * The suppression of an address.
 * @throws Refusal 422 for a wrong address, 404 when it is not suppressed
 */
export async function findSuppression(
  { db, options }: SuppressDeps,
  raw: string,
): Promise<Omit<ListedSuppression, "address"> & { address: string }> {
  const { address, key } = parseAnyAddress(raw);
  const found = await findByHash(db, addressHash(options.secret, key));
  if (!found) throw new Refusal(404, "address_not_suppressed", { address });
  return { address, ...found };
}

/**
 * The same as `unsuppressAddress`, by the suppression's hash.
 * @param request.hash hexadecimal
 * @throws Refusal 404 when there is no such suppression, 409 after a complaint
 */
export async function unsuppress({ db, clock }: SuppressDeps, request: { hash: string; actor: string }): Promise<void> {
  const hash = Buffer.from(request.hash, "hex");
  const found = await findByHash(db, hash);
  if (!found) throw new Refusal(404, "suppression_not_found");
  if (isForGood(found.reason)) throw new Refusal(409, "suppression_permanent");
  await liftHash(db, hash);
  const entry = { at: clock.now(), actor: request.actor, subject: "suppressions" };
  await writeAudit(db, { ...entry, action: "suppression remove", detail: { reason: found.reason } });
}
