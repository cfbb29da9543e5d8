import type { Clock } from "../src/base/clock.ts";
import type { Db } from "../src/db/schema.ts";
import { dueSlices } from "../src/deliveries/store.ts";
import type { Payload, Wake } from "../src/queue/contract.ts";

/**
 * Queues a job for each slice that has something to send, or the closing of the edition when there is none. While it is
 * being sent, the mailbox providers of its readers are looked up.
 */
export async function queueSlicesJob(
  deps: { db: Db; clock: Clock; wake: Wake },
  { editionId }: Payload<"queue-slices">,
) {
  const slices = await dueSlices(deps.db, editionId, deps.clock.now());
  for (const slice of slices) await deps.wake("deliver-slice", { editionId, slice });
  await deps.wake(slices.length > 0 ? "look-up-providers" : "close-edition", { editionId });
}
