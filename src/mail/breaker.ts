import type { Message } from "../texts/catalogue.ts";

/** A circuit breaker for the relay. Times are milliseconds of a monotonic clock. */
export interface Breaker {
  /** Time until the next attempt is allowed; 0 if one is allowed now. */
  waitMs(now: number): number;
  /** How many connections are allowed. */
  width(): number;
  /** The last failure, until all connections are allowed again; otherwise null. */
  reason(): string | Message | null;
  /** The relay answered for this message, whether it accepted or rejected it. */
  worked(): void;
  /**
   * An attempt failed because of the relay.
   * @param triedAt when the attempt began. An attempt from before the last pause does not count as another failure.
   */
  failed(reason: string | Message, triedAt: number, now: number, quietMs?: number): void;
  /** The relay cannot be reached: no attempts until `reachable`. */
  unreachable(): void;
  /** The relay accepts connections again: attempts are allowed, unless it asked for a delay. */
  reachable(now: number): void;
  /** Failures in a row. */
  failures(): number;
  /** No attempts until `adopt` allows them. */
  hold(): void;
  /** What all workers know: a pause, which this worker may or may not be the first to end, or none. */
  adopt(pause: AdoptedPause | null, now: number): void;
}

/** A pause of all workers, as one of them gets to know it. */
export interface AdoptedPause {
  waitMs: number;
  /** Whether the pause is over and this worker tries the relay first. */
  mine: boolean;
  reason: string | Message;
  failures: number;
}

const shortestPauseMs = 1_000;
const longestPauseMs = 60_000;

/**
 * After a failure, sending pauses for 1 s, 2 s, 4 s … 60 s, or as long as the relay asked for. Then one connection is
 * allowed, and one more for each answered message. While the relay cannot be reached, nothing is sent. A pause of all
 * workers ends for this one when it may try the relay first, or when another has tried it with success.
 */
export function createBreaker(connections: number): Breaker {
  let failures = 0;
  let width = connections;
  let openedAt = -Infinity;
  let until = -Infinity;
  let quietUntil = -Infinity;
  let down = false;
  let adopted = false;
  let held = false;
  let reason: string | Message | null = null;
  return {
    waitMs: (now) => Math.max(down || held ? shortestPauseMs : 0, until - now),
    width: () => width,
    reason: () => reason,
    worked() {
      failures = 0;
      width = Math.min(connections, width + 1);
      if (width === connections) reason = null;
    },
    failed(why, triedAt, now, quietMs = 0) {
      const known = triedAt < openedAt || now < until;
      if (!known) {
        failures += 1;
        until = now + Math.min(longestPauseMs, shortestPauseMs * 2 ** Math.min(failures - 1, 10));
        openedAt = now;
      }
      if (quietMs > 0) quietUntil = Math.max(quietUntil, now + quietMs);
      until = Math.max(until, quietUntil);
      if (!known || quietMs > 0) reason = why;
      width = 1;
    },
    unreachable() {
      down = true;
    },
    reachable(now) {
      down = false;
      until = Math.max(now, quietUntil);
    },
    failures: () => failures,
    hold() {
      adopted = true;
      held = true;
    },
    adopt(pause, now) {
      if (pause !== null) {
        const first = pause.mine && pause.waitMs <= 0;
        // Unless this worker is trying the relay already, all its attempts so far are from before the end of the pause.
        if (!first || held || !adopted) {
          width = 1;
          openedAt = now;
        }
        adopted = true;
        held = !first;
        reason = pause.reason;
        failures = Math.max(failures, pause.failures);
        until = quietUntil = now + pause.waitMs;
      } else if (adopted) {
        adopted = false;
        held = false;
        reason = null;
        failures = 0;
        quietUntil = -Infinity;
        until = Math.min(until, now);
      }
    },
  };
}
