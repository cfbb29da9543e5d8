import { retain, type RetentionDeps } from "../src/operations/retention.ts";

/** Once a day: removes what nobody will ask for again. */
export async function retentionJob(deps: RetentionDeps) {
  await retain(deps);
}
