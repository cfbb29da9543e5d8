import { writeAudit } from "../audit/audit.ts";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { bringForward } from "./store.ts";
import { endPause } from "../ledger/limit-store.ts";
import type { Wake } from "../queue/contract.ts";
import { bringNoticesForward } from "../subscribers/notices.ts";

/** The clocks of workers and of the database may differ by so much. */
const slackMs = 5_000;

/**
 * Ends the pause of all workers. One of them tries the relay with one email, and if the relay fails again, sending pauses
 * again. What the pause has deferred is due now.
 * @returns whether sending was paused
 */
export async function resumeRelay(
  { db, clock, wake }: { db: Db; clock: Clock; wake: Wake },
  { actor }: { actor: string },
): Promise<{ changed: boolean }> {
  const changed = await db.transaction().execute(async (tx) => {
    const pause = await endPause(tx);
    if (pause === null) return false;
    const { sinceMs, leftMs, reason, quota } = pause;
    const now = clock.now();
    const waiting = {
      since: new Date(now.getTime() - sinceMs - slackMs),
      until: new Date(now.getTime() + leftMs + slackMs),
    };
    await bringForward(tx, waiting, now);
    await bringNoticesForward(tx, waiting, now);
    await writeAudit(tx, { at: now, actor, action: "relay resume", subject: "relay", detail: { reason, quota } });
    return true;
  });
  if (changed) await wake("recover", {});
  return { changed };
}
