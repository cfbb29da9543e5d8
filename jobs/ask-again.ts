import { askAgain, type AskAgainDeps } from "../src/outcomes/ask-again.ts";

/** Once a day: asks readers whether they still want the emails, and pauses those who did not answer. */
export async function askAgainJob(deps: AskAgainDeps) {
  await askAgain(deps);
}
