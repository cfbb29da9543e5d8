import { writeAudit } from "../audit/audit.ts";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { hideArticle } from "./store.ts";

/**
 * Removes a waiting article from all future editions.
 * @throws Refusal 404 when there is no such article, 409 when an edition already has it
 */
export async function hideFromEditions(
  { db, clock }: { db: Db; clock: Clock },
  { id, actor }: { id: number; actor: string },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await hideArticle(tx, id);
    await writeAudit(tx, { at: clock.now(), actor, action: "article hide", subject: `article ${id}` });
  });
}
