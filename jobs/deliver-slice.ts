import type { Db } from "../src/db/schema.ts";
import { deliverSlice, type DeliverDeps } from "../src/deliveries/deliver-slice.ts";
import { isSettled } from "../src/deliveries/store.ts";
import type { Payload, Wake } from "../src/queue/contract.ts";

/** Sends what is due of one slice. After the last delivery of an edition, its closing is queued. */
export async function deliverSliceJob(
  deps: DeliverDeps & { db: Db; wake: Wake },
  slice: Payload<"deliver-slice">,
  signal: AbortSignal,
) {
  const sent = await deliverSlice(deps, slice, signal);
  if (await isSettled(deps.db, slice.editionId)) await deps.wake("close-edition", { editionId: slice.editionId });
  return sent;
}
