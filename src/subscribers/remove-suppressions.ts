import { writeAudit } from "../audit/audit.ts";
import { Refusal } from "../base/errors.ts";
import { liftMany } from "./suppressed-readers.ts";
import { countFound, isFound, readSearch, type SuppressionSearch } from "./suppression-search.ts";
import type { SuppressDeps, SuppressionReason } from "./suppressions.ts";

/** Reasons that are the decision of the address's owner, who alone can take it back. */
const ofOwners: ReadonlySet<string> = new Set<SuppressionReason>(["complaint", "erased", "unsubscribed"]);

export interface RemovedSuppressions {
  /** Suppressions that were removed, or would be. */
  count: number;
  /** Readers who are active again. */
  resumed: number;
  removed: boolean;
}

/** Whether many suppressions with this reason can be removed at once. @param reason a code, or `other` */
export function areRemovable(reason: string): boolean {
  return !ofOwners.has(reason);
}

/**
 * Removes all suppressions with one reason that an edition caused or that began in a period. Readers who were suppressed because of
 * an edition's email get emails again. For all others, only a sign-up brings them back.
 * @param request.dryRun only counts them
 * @throws Refusal 409 for a reason that is the owners' decision, 422 without an edition and period, 404 for an unknown edition
 */
export async function removeSuppressions(
  { db, clock, options }: SuppressDeps,
  { dryRun, actor, ...search }: SuppressionSearch & { reason: string; dryRun: boolean; actor: string },
): Promise<RemovedSuppressions> {
  const { reason, edition, since, until } = search;
  if (!areRemovable(reason)) throw new Refusal(409, "suppressions_of_owners", { reason });
  if ((edition ?? since ?? until) === undefined) throw new Refusal(422, "suppressions_unbounded");
  const filter = await readSearch(db, search);
  if (dryRun) return { count: await countFound(db, filter), resumed: 0, removed: false };
  return db.transaction().execute(async (tx) => {
    const { lifted: count, resumed } = await liftMany(tx, options.secret, isFound(filter));
    if (count > 0) {
      const detail = { ...search, count, resumed };
      const entry = { at: clock.now(), actor, subject: "suppressions", detail };
      await writeAudit(tx, { ...entry, action: "suppressions remove" });
    }
    return { count, resumed, removed: true };
  });
}
