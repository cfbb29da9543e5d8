import type { Clock } from "../../src/base/clock.ts";

/** A clock that stands where it is put. */
export interface MovedClock extends Clock {
  set(instant: string | Date): void;
  advance(ms: number): void;
}

export function movedClock(start: string): MovedClock {
  let now = new Date(start);
  return {
    now: () => new Date(now),
    set(instant) {
      now = new Date(instant);
    },
    advance(ms) {
      now = new Date(now.getTime() + ms);
    },
  };
}
