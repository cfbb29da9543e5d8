/** `probing`: a pause or block is over, and one message at a time finds out whether the provider accepts again. */
export const phases = ["open", "paused", "probing", "growing", "blocked"] as const;
export type Phase = (typeof phases)[number];
export type ProviderState = Exclude<Phase, "probing">;

/** What is known of a provider, as all workers share it. */
export interface Standing {
  state: ProviderState;
  /** When a pause or block ends. */
  until: Date | null;
  /** Most messages at a time after a pause or block, of all workers together; null for no limit. */
  width: number | null;
  /** Pauses and blocks since the provider was open. */
  failures: number;
}

/**
 * `slowed`: the provider asked for fewer emails. `refused`: it refused several in a row for reasons of policy. `accepted`:
 * it accepted one. `resumed`: an operator says that it accepts again.
 */
export type ProviderEvent = "slowed" | "refused" | "accepted" | "resumed";

export const openStanding: Standing = { state: "open", until: null, width: null, failures: 0 };

const minute = 60_000;
/** Gmail: stop for ten minutes, then restart with one connection and add one at a time (support.google.com/a/answer/81126). */
const shortestPauseMs = 10 * minute;
const longestPauseMs = 240 * minute;
/** A block is tried again once a day, with a single message, for when no operator lifts it. */
const blockMs = 24 * 60 * minute;

interface Move {
  event: ProviderEvent;
  from: readonly Phase[];
  to: ProviderState;
}

/** What is not in the table changes nothing, such as a late reply while the provider is paused. */
const moves: readonly Move[] = [
  { event: "slowed", from: ["open", "growing", "probing"], to: "paused" },
  { event: "refused", from: ["open", "growing", "probing", "paused"], to: "blocked" },
  { event: "accepted", from: ["probing", "growing"], to: "growing" },
  // The pause ends at once, and one message at a time is tried.
  { event: "resumed", from: ["paused", "blocked"], to: "paused" },
];

export function phaseOf({ state, until }: Standing, now: Date): Phase {
  const waits = state === "paused" || state === "blocked";
  return waits && until !== null && until <= now ? "probing" : state;
}

/** How many messages may be at the provider at a time, of all workers together. */
export function widthOf(standing: Standing, now: Date): number {
  const phase = phaseOf(standing, now);
  if (phase === "paused" || phase === "blocked") return 0;
  return standing.width ?? Infinity;
}

/**
 * A provider after an event, or null if the event changes nothing.
 * @param at.full the width from which on there is no limit
 */
export function afterEvent(standing: Standing, event: ProviderEvent, at: { now: Date; full: number }): Standing | null {
  const { now, full } = at;
  const phase = phaseOf(standing, now);
  const move = moves.find((one) => one.event === event && one.from.includes(phase));
  if (!move) return null;
  const later = (ms: number): Date => new Date(now.getTime() + ms);
  if (event === "resumed") return { state: move.to, until: now, width: 1, failures: 0 };
  if (event === "accepted") {
    const width = (standing.width ?? 1) + 1;
    return width > full ? openStanding : { ...standing, state: move.to, until: null, width };
  }
  const failures = standing.failures + 1;
  const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(failures - 1, 10));
  return { state: move.to, until: later(event === "refused" ? blockMs : pauseMs), width: 1, failures };
}
