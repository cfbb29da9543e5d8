import type { Breaker } from "./breaker.ts";
import type { Fleet } from "./fleet.ts";
import type { Throttle } from "./throttle.ts";

/** Grants permits to send. At any time, permits held + sends in progress ≤ connections. */
export interface RateLimiter {
  /** See `Transport.reserve`. */
  reserve: (max: number, signal?: AbortSignal) => Promise<number>;
  /** See `Transport.more`. */
  more: (max: number) => number;
  release: (n: number) => void;
  /** Starts a send with a held permit, or waits for one. False once closed. */
  begin(): Promise<boolean>;
  end(): void;
  busy(): number;
  /** Grants what has become possible. */
  wake(): void;
  /** Whether nobody waits and nothing is in progress. */
  idle(): boolean;
  /** Stops granting permits; pending requests get 0. */
  close(): void;
  /** Resolves when no permit is held and no send is in progress, or after `ms`. */
  drained(ms: number): Promise<void>;
}

interface Waiter {
  max: number;
  grant(n: number): void;
}

/** Milliseconds of a monotonic clock: durations must not follow the system time, which people and NTP change. */
export const ticks = (): number => performance.now();

/**
 * Permits are granted in the order of the requests, so that a notice waits for no more than one turn of each slice.
 * @param deps.fleet this worker's part in limits that it shares with others; left out, there are none
 */
export function createRateLimiter(deps: {
  connections: number;
  breaker: Breaker;
  throttle: Throttle;
  fleet?: Pick<Fleet, "ready" | "connections" | "want" | "sent">;
}): RateLimiter {
  const { breaker, throttle, fleet } = deps;
  const waiting: Waiter[] = [];
  let held = 0;
  let busy = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let whenDrained: (() => void)[] = [];

  function pump(): void {
    clearTimeout(timer);
    timer = undefined;
    if (held + busy === 0) {
      for (const resolve of whenDrained) resolve();
      whenDrained = [];
    }
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      // One reading of the clock for both: if a pause ended between two, no timer would be set.
      const now = ticks();
      const n = take(next.max, now);
      if (n === 0) {
        fleet?.want(now);
        const pause = pauseMs(now);
        if (free() > 0 && pause > 0 && pause < Infinity) timer = setTimeout(pump, Math.ceil(pause));
        return;
      }
      waiting.shift();
      next.grant(n);
    }
  }

  const free = (): number => Math.min(fleet?.connections() ?? deps.connections, breaker.width()) - held - busy;
  const pauseMs = (now: number): number => Math.max(breaker.waitMs(now), throttle.waitMs(now));

  function take(max: number, now: number): number {
    if (fleet?.ready(now) === false || free() < 1 || pauseMs(now) > 0) return 0;
    const n = Math.min(max, free(), Math.max(1, throttle.available(now)));
    throttle.take(n, now);
    held += n;
    fleet?.sent(n, now);
    fleet?.want(now);
    return n;
  }

  /** `grant` is called in the same tick in which the permits are counted as held. */
  function enqueue(max: number, grant: (n: number) => void): Waiter {
    const waiter = { max, grant };
    waiting.push(waiter);
    pump();
    return waiter;
  }

  function start(): void {
    held -= 1;
    busy += 1;
  }

  return {
    reserve(max, signal) {
      if (closed || signal?.aborted || !(max >= 1)) return Promise.resolve(0);
      return new Promise((resolve) => {
        const leave = (): void => {
          waiting.splice(waiting.indexOf(waiter), 1);
          resolve(0);
          pump();
        };
        signal?.addEventListener("abort", leave, { once: true });
        const waiter = enqueue(Math.floor(max), (n) => {
          signal?.removeEventListener("abort", leave);
          resolve(n);
        });
      });
    },
    more: (max) => (closed || max < 1 ? 0 : take(Math.floor(max), ticks())),
    release(n) {
      const back = Math.min(n, held);
      held -= back;
      throttle.giveBack(back);
      pump();
    },
    begin() {
      if (held > 0) start();
      else if (closed) return Promise.resolve(false);
      else {
        return new Promise((resolve) => {
          enqueue(1, (n) => {
            if (n > 0) start();
            resolve(n > 0);
          });
        });
      }
      return Promise.resolve(true);
    },
    end() {
      busy -= 1;
      pump();
    },
    busy: () => busy,
    wake: pump,
    idle: () => waiting.length === 0 && held + busy === 0,
    close() {
      closed = true;
      clearTimeout(timer);
      for (const waiter of waiting.splice(0)) waiter.grant(0);
    },
    drained(ms) {
      if (held + busy === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const limit = setTimeout(resolve, ms);
        whenDrained.push(() => {
          clearTimeout(limit);
          resolve();
        });
      });
    },
  };
}
