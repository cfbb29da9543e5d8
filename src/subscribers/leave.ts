import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { addOwnAct } from "./consents.ts";
import { closeQuestion } from "./questions.ts";
import { findSubscriber } from "./store.ts";

/** Unsubscribes a reader at once. Safe to repeat. @returns whether anything changed */
export async function unsubscribe(db: Db | Tx, id: number, now: Date): Promise<boolean> {
  const result = await db
    .updateTable("subscribers")
    // A suppressed reader stays suppressed. `left_at` keeps them from becoming active if that is lifted.
    .set({ status: sql`case when status = 'suppressed' then status else 'unsubscribed' end`, left_at: now })
    .where("id", "=", id)
    .where("status", "<>", "unsubscribed")
    .executeTakeFirst();
  await closeQuestion(db, id, "unsubscribed", now);
  return result.numUpdatedRows === 1n;
}

/**
 * Undoes an unsubscribe for the same reader, with a consent record. A suppressed reader stays suppressed.
 * @param act.from the client's network address
 * @returns whether the reader is active again
 */
export async function rejoin(db: Db, id: number, act: { now: Date; from: string | null }): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const result = await tx
      .updateTable("subscribers")
      .set({ status: "active", left_at: null, acted_at: act.now, paused_since: null, paused_for: null })
      .where("id", "=", id)
      .where("status", "=", "unsubscribed")
      .where("confirmed_at", "is not", null)
      .executeTakeFirst();
    if (result.numUpdatedRows === 0n) return false;
    await addOwnAct(tx, (await findSubscriber(tx, id))!, {
      method: "unsubscribe_undone",
      requestedAt: act.now,
      requestedFrom: act.from,
      confirmedAt: act.now,
      confirmedFrom: act.from,
    });
    return true;
  });
}
