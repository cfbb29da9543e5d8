import type { Clock } from "../src/base/clock.ts";
import type { Log } from "../src/base/log.ts";
import type { Db } from "../src/db/schema.ts";
import { closeEdition } from "../src/editions/close.ts";
import type { Payload } from "../src/queue/contract.ts";

/** Finishes the edition if everything of it is settled and adds up. */
export async function closeEditionJob(
  deps: { db: Db; clock: Clock; log: Log },
  { editionId }: Payload<"close-edition">,
) {
  return closeEdition(deps, editionId);
}
