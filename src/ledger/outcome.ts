import { faultCodes, type FaultData, type Verdict } from "../mail/verdict.ts";
import type { outcomeStates } from "./state.ts";

/** Why this program did not send something, when it was not the relay that said so. The catalogue has the texts. */
const localCodes = [
  "address_changed_back",
  "build_failed",
  "complained",
  "edition_cancelled",
  "erased",
  "no_article",
  "no_articles_left",
  "not_sent_in_time",
  "not_subscribed",
  "nothing_to_confirm",
  "question_answered",
  "sample_limit",
  "sender_stopped",
  "suppressed",
  "warm_up",
  "webhook_failed",
  "webhook_refused",
] as const;

/** Every code of an outcome: those above, and faults of the connection. */
export const outcomeCodes = [...localCodes, ...faultCodes] as const;
export type OutcomeCode = (typeof outcomeCodes)[number];

/** Why something has the state that it has: a code of this program with its data, and the last raw reply. */
export interface OutcomeReason {
  code: OutcomeCode | null;
  data: FaultData | null;
  reply: string | null;
}

/** What became of a claim. */
export interface Outcome<Id = number> {
  id: Id;
  state: (typeof outcomeStates)[number];
  code?: OutcomeCode;
  data?: FaultData;
  /** The raw reply; null without one. */
  reply: string | null;
  dueAt: Date | null;
  /** The address does not exist: its reader must not be mailed again. */
  suppress?: boolean;
  /** The answer was lost. Unless the email is sent again, its outcome is unknown. */
  lost?: boolean;
}

const minute = 60_000;

/** RFC 1123 §5.3.1.1: two retries in the first hour, then one every two or three hours; RFC 5321 §4.5.4.1: 30 minutes or more. */
const waits = [30, 30, 60, 90, 120, 150];
const longest = 180;

/**
 * The delay before a deferred email is retried.
 * @param attempts attempts made so far, 1 after the first
 * @returns milliseconds, without random jitter, so that the next attempt is predictable
 */
export function retryDelayMs(attempts: number): number {
  return (waits[Math.max(1, attempts) - 1] ?? longest) * minute;
}

/**
 * The outcome for a verdict. Failures of the relay are retried soon, failures of one address with back-off. An email
 * without an answer waits for an operator, unless the publication chose to risk a duplicate.
 * @param claimed.attempts attempts made, including this one
 */
export function outcomeOf(
  verdict: Verdict,
  claimed: { id: number; attempts: number },
  options: { now: Date; unknownPolicy: "hold" | "resend" },
): Outcome {
  const { attempts } = claimed;
  const { reply } = verdict;
  const why = "code" in verdict && verdict.code !== undefined ? { code: verdict.code, data: verdict.data ?? {} } : {};
  const base = { id: claimed.id, reply, ...why };
  const deferred = (ms: number): Outcome => ({
    ...base,
    state: "deferred",
    dueAt: new Date(options.now.getTime() + ms),
  });
  switch (verdict.kind) {
    case "deferred":
      if (verdict.scope === "address") return deferred(Math.max(verdict.quietMs ?? 0, retryDelayMs(attempts)));
      return deferred(verdict.quietMs ?? minute * Math.min(attempts, 15));
    case "unknown":
      if (options.unknownPolicy === "resend") return { ...deferred(retryDelayMs(attempts)), lost: true };
      return { ...base, state: "unknown", dueAt: null };
    case "rejected":
      return { ...base, state: "rejected", dueAt: null, suppress: verdict.scope === "address" };
    case "sent":
      return { ...base, state: "sent", dueAt: null };
  }
}
