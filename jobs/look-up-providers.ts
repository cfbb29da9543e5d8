import type { Clock } from "../src/base/clock.ts";
import type { Log } from "../src/base/log.ts";
import type { Db } from "../src/db/schema.ts";
import { lookUpProviders, type ResolveMx } from "../src/providers/look-up.ts";
import type { Payload, Wake } from "../src/queue/contract.ts";

/** Finds out which mailbox providers an edition's readers have, a part of the domains at a time. */
export async function lookUpProvidersJob(
  deps: { db: Db; clock: Clock; log: Log; wake: Wake; resolveMx: ResolveMx },
  payload: Payload<"look-up-providers">,
  signal: AbortSignal,
) {
  if (await lookUpProviders(deps, payload.editionId, signal)) await deps.wake("look-up-providers", payload);
}
