import type { Reason } from "../base/errors.ts";
import { erased, type Suppression } from "./suppressions.ts";

/**
 * Why an operator cannot add an address; null when they can. After an erasure, only a newer consent counts: an older one,
 * or one without a date, may come from an old list.
 * @param agreedAt null when the time of the consent is unknown
 */
export function whyNotAdded(
  address: string,
  suppression: Suppression | undefined,
  agreedAt: Date | null,
): Reason | null {
  if (suppression === undefined) return null;
  const { reason, since } = suppression;
  if (reason !== erased) return { code: "address_suppressed", details: { address, reason } };
  if (agreedAt !== null && agreedAt >= since) return null;
  const date = since.toISOString().slice(0, 10);
  return { code: "address_erased", details: { address, date } };
}
