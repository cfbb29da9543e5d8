import { retryDelayMs } from "./backoff.ts";
import type { Verdict } from "./verdict.ts";
import type { Outcome } from "../deliveries/claims.ts";

const relayPauseMs = 60_000;

/**
 * The delivery's outcome for a verdict. Failures of the relay are retried soon, failures of one address with back-off. A
 * delivery without an answer waits for an operator, unless the publication chose to risk a duplicate.
 * @param attempts attempts made, including this one
 */
export function outcomeOf(
  verdict: Verdict,
  delivery: { id: number; attempts: number },
  options: { now: Date; unknownPolicy: "hold" | "resend" },
): Outcome {
  const { id, attempts } = delivery;
  const after = (ms: number): Date => new Date(options.now.getTime() + ms);
  const deferred = (ms: number): Outcome => ({ id, state: "deferred", reply: verdict.reply, dueAt: after(ms) });
  switch (verdict.kind) {
    case "deferred":
      if (verdict.scope === "address") return deferred(Math.max(verdict.quietMs ?? 0, retryDelayMs(attempts)));
      return deferred(verdict.quietMs ?? relayPauseMs * Math.min(attempts, 15));
    case "unknown":
      if (options.unknownPolicy === "resend") return { ...deferred(retryDelayMs(attempts)), lost: true };
      return { id, state: "unknown", reply: verdict.reply, dueAt: null };
    case "rejected":
      return { id, state: "rejected", reply: verdict.reply, dueAt: null, suppress: verdict.scope === "address" };
    case "sent":
      return { id, state: "sent", reply: verdict.reply, dueAt: null };
  }
}
