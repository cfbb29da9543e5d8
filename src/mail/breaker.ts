/** Keeps a relay in trouble from being hammered. Times are milliseconds of any clock that only goes forward. */
export interface Breaker {
  /** How long the relay is to be left alone; 0 when it may be tried. */
  waitMs(now: number): number;
  /** How many connections it may be tried with. */
  width(): number;
  /** Why it is left alone or tried carefully; null when all is well. */
  reason(): string | null;
  /** The relay answered for this mail, whatever it said of it. */
  worked(): void;
  /**
   * The relay is in trouble.
   * @param triedAt when the failed attempt began: what began before the last pause tells nothing new
   */
  failed(reason: string, triedAt: number, now: number, quietMs?: number): void;
  /** Nothing may go to a relay that cannot be reached until `reachable`, however long that is. */
  unreachable(): void;
  /** The relay takes connections again: it may be tried, unless it has asked for quiet. */
  reachable(now: number): void;
}

const shortestPauseMs = 1_000;
const longestPauseMs = 60_000;

/**
 * After trouble the relay is left alone for 1 s, 2 s, 4 s … 60 s, or as long as it asked for. Then one connection tries,
 * and each mail that gets an answer lets in one more. A relay that cannot be reached is left alone until it can.
 */
export function createBreaker(connections: number): Breaker {
  let failures = 0;
  let width = connections;
  let openedAt = -Infinity;
  let until = -Infinity;
  let quietUntil = -Infinity;
  let down = false;
  let reason: string | null = null;
  return {
    waitMs: (now) => Math.max(down ? shortestPauseMs : 0, until - now),
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
  };
}
