import { reasonOf } from "./errors.ts";
import type { Log } from "./log.ts";

/** Removes the steps and runs them, last first. A failing step is logged and does not stop the others. */
export async function closeInReverse(steps: (() => unknown)[], log: Log): Promise<void> {
  for (const step of steps.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, "could not close");
    }
  }
}
