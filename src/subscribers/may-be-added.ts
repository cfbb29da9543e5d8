import { erased, type Suppression } from "./suppressions.ts";

/**
 * Why nobody but its owner can bring an address back, in a sentence; null when an operator's word is enough. A consent
 * that is newer than an erasure is a new one; what is older, or of no date, may be a list from before.
 * @param agreedAt null where nobody can say when its owner agreed
 */
export function whyNotAdded(
  address: string,
  suppression: Suppression | undefined,
  agreedAt: Date | null,
): string | null {
  if (suppression === undefined) return null;
  const { reason, since } = suppression;
  if (reason !== erased) return `${address} is suppressed (${reason}) and must not be mailed.`;
  if (agreedAt !== null && agreedAt >= since) return null;
  const date = since.toISOString().slice(0, 10);
  return `${address} was erased on ${date}: they can sign up again, or be added with a consent given since (confirmed_at).`;
}
