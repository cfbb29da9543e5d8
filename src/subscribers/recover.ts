import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import { hasDueNotices, tidyNotices } from "./notices.ts";

/** Wakes the jobs for waiting sign-ups and for notices that are due or were abandoned. */
export async function recoverReaders(deps: {
  db: Db;
  clock: Clock;
  wake: Wake;
  /** This process's row in `senders`. */
  sender: string;
  options: { unknownPolicy: "hold" | "resend" };
}): Promise<void> {
  const { db, clock, wake, sender, options } = deps;
  const now = clock.now();
  await tidyNotices(db, { now, self: sender, policy: options.unknownPolicy });
  if (await db.selectFrom("signups").select("id").limit(1).executeTakeFirst()) await wake("handle-signup", {});
  if (await hasDueNotices(db, now)) await wake("send-notices", {});
}
