import type { Verdict } from "../mail/verdict.ts";

/** So many refusals in a row that are our fault and no reader's mean that going on would only do harm. */
export const policyLimit = 10;

/**
 * Notices a relay that refuses everything for reasons of policy (5.7.x, authentication, content), so that the edition
 * can be paused instead of burning through its readers (Microsoft: stop after repeated refusals).
 * @param pause called once per row of refusals, with the relay's last reply
 */
export function createPolicyWatch(
  pause: (editionId: number, reply: string) => void,
): (editionId: number, verdict: Verdict) => void {
  const inARow = new Map<number, number>();
  return (editionId, verdict) => {
    if (verdict.kind === "sent") inARow.delete(editionId);
    if (verdict.kind !== "rejected" || verdict.scope !== "policy") return;
    const count = (inARow.get(editionId) ?? 0) + 1;
    inARow.set(editionId, count % policyLimit);
    if (count === policyLimit) pause(editionId, verdict.reply);
  };
}
