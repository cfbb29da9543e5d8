import { recover, type RecoverDeps } from "../src/alerts/recover.ts";

/** Every minute: finds everything that is due or unfinished in the database, whatever the queue has lost. */
export async function recoverJob(deps: RecoverDeps) {
  await recover(deps);
}
