import type { Clock } from "../src/base/clock.ts";
import type { Db } from "../src/db/schema.ts";
import { dueSlices } from "../src/deliveries/store.ts";
import type { Payload, Wake } from "../src/queue/contract.ts";

/** Asks for a look at every slice that has something to send, and at the whole when there is nothing. */
export async function fanOutJob(deps: { db: Db; clock: Clock; wake: Wake }, { editionId }: Payload<"fan-out">) {
  const slices = await dueSlices(deps.db, editionId, deps.clock.now());
  for (const slice of slices) await deps.wake("deliver-slice", { editionId, slice });
  if (slices.length === 0) await deps.wake("close-edition", { editionId });
}
