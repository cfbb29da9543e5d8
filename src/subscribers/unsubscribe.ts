import { writeAudit } from "../audit/audit.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { rejoin, unsubscribe } from "./leave.ts";

interface UnsubscribeDeps {
  db: Db;
  clock: Clock;
  log: Log;
}

/**
 * Unsubscribes a reader at once. Safe to repeat.
 * @param request.actor who did it for the reader; null for the reader, whose acts are not in the audit log
 * @param request.by how the reader did it, for the log
 * @returns whether anything changed
 */
export async function unsubscribeReader(
  { db, clock, log }: UnsubscribeDeps,
  { id, actor, by }: { id: number; actor: string | null; by?: "email" },
): Promise<boolean> {
  const now = clock.now();
  const changed = await db.transaction().execute(async (tx) => {
    const left = await unsubscribe(tx, id, now);
    if (left && actor !== null) {
      await writeAudit(tx, { at: now, actor, action: "subscriber unsubscribe", subject: `subscriber ${id}` });
    }
    return left;
  });
  if (changed) log.info({ subscriber: id, by }, "reader unsubscribed");
  return changed;
}

/** Undoes a reader's own unsubscribe. @param request.from the client's network address */
export async function resubscribeReader(
  { db, clock, log }: UnsubscribeDeps,
  { id, from }: { id: number; from: string },
): Promise<void> {
  if (await rejoin(db, id, { now: clock.now(), from })) log.info({ subscriber: id }, "reader subscribed again");
}
