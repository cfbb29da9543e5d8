import type { Tx } from "../db/schema.ts";
import { ownConsents } from "./consents.ts";
import { isForGood, markSuppressed, suppressMany } from "./suppressions.ts";

/** Somebody who left, bounced or complained elsewhere. */
export interface LeftElsewhere {
  addressKey: string;
  reason: string;
  /** When; null when unknown. */
  at: Date | null;
  detail: string | null;
}

export interface LeaversTaken {
  suppressed: number;
  /** They were suppressed before. */
  unchanged: number;
  /** Active readers who stay, by address key, with the time of their own consent. */
  kept: Map<string, Date>;
}

/**
 * Suppresses addresses that left elsewhere, and the readers with them. An active reader who has confirmed a sign-up here
 * stays, unless they left later or reported an email as spam.
 * @param leavers with unique address keys
 */
export async function suppressLeavers(
  tx: Tx,
  secret: string,
  leavers: readonly LeftElsewhere[],
  now: Date,
): Promise<LeaversTaken> {
  const consents = await ownConsents(
    tx,
    leavers.filter(({ reason }) => !isForGood(reason)).map(({ addressKey }) => addressKey),
  );
  const kept = new Map<string, Date>();
  const taken = leavers.filter(({ addressKey, at }) => {
    const agreed = consents.get(addressKey);
    if (agreed === undefined || (at !== null && at > agreed)) return true;
    kept.set(addressKey, agreed);
    return false;
  });
  const marked = await markSuppressed(
    tx,
    taken.map(({ addressKey }) => addressKey),
    now,
  );
  const changed = await suppressMany(
    tx,
    secret,
    taken.map(({ at, ...one }) => ({ ...one, at: at !== null && at < now ? at : now })),
  );
  for (const key of marked) changed.add(key);
  return { suppressed: changed.size, unchanged: taken.length - changed.size, kept };
}
