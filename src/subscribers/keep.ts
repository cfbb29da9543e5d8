import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { addOwnAct } from "./consents.ts";
import { closeQuestion, noteOwnAct } from "./questions.ts";
import { findSubscriber } from "./store.ts";

/**
 * A reader says that they still want the emails: answers an open question, and ends the pause that followed an unanswered one.
 * Their own pause stays. Changes nothing for a reader who is not active, or was not asked.
 * @param act.from the client's network address, for the consent record
 * @returns whether anything changed
 */
export async function keepSubscription(
  { db, clock, log }: { db: Db; clock: Clock; log: Log },
  { id, from }: { id: number; from: string },
): Promise<boolean> {
  const now = clock.now();
  const changed = await db.transaction().execute(async (tx) => {
    const reader = await tx
      .selectFrom("subscribers")
      .select(["status", "paused_since"])
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirst();
    if (reader?.status !== "active") return false;
    const asked = await closeQuestion(tx, id, "kept", now);
    if (!asked && reader.paused_since === null) return false;
    await noteOwnAct(tx, id, now);
    await addOwnAct(tx, (await findSubscriber(tx, id))!, {
      method: "kept",
      requestedAt: now,
      requestedFrom: from,
      confirmedAt: now,
      confirmedFrom: from,
    });
    return true;
  });
  if (changed) log.info({ subscriber: id }, "reader keeps the subscription");
  return changed;
}
