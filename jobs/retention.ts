import { retain, type RetentionDeps } from "../src/alerts/retention.ts";

/** Once a day: removes what nobody will ask for again. */
export async function retentionJob(deps: RetentionDeps) {
  await retain(deps);
}
