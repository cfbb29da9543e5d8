import { openWhatIsDue, type RecoverDeps } from "../src/alerts/recover.ts";

/** The wake-up at the publication's hour: opens the edition that is due, if the calendar agrees that one is. */
export async function openEditionJob(deps: RecoverDeps) {
  await openWhatIsDue(deps);
}
