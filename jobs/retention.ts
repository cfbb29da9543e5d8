import type { Clock } from "../src/base/clock.ts";
import type { Log } from "../src/base/log.ts";
import type { Database } from "../src/db/open.ts";
import { retain } from "../src/operations/retention.ts";

/** Once a day: removes what nobody will ask for again. */
export async function retentionJob(deps: { database: Database; clock: Clock; log: Log }) {
  await retain(deps);
}
