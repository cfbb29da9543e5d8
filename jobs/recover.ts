import { recover, type RecoverDeps } from "../src/operations/recover.ts";

/** Each minute: looks for everything that is due, undone or left behind, whatever the queue has lost. */
export async function recoverJob(deps: RecoverDeps) {
  await recover(deps);
}
