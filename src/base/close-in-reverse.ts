import { reasonOf } from "./errors.ts";
import type { Log } from "./log.ts";

/** Takes the steps and goes through them, the last first. One that fails is logged, and keeps nothing else open. */
export async function closeInReverse(steps: (() => unknown)[], log: Log): Promise<void> {
  for (const step of steps.splice(0).reverse()) {
    try {
      await step();
    } catch (error) {
      log.warn({ reason: reasonOf(error) }, "could not be closed");
    }
  }
}
