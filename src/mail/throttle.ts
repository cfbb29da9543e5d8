/** Limits messages to a steady rate. Times are milliseconds of a monotonic clock. */
export interface Throttle {
  /** How many messages are allowed now. */
  available(now: number): number;
  /** Time until one message is allowed; 0 if one is allowed now. */
  waitMs(now: number): number;
  take(n: number, now: number): void;
  /** Returns tokens that were not used. */
  giveBack(n: number): void;
}

/**
 * A token bucket. It holds the tokens of a tenth of a second (at least one), so that messages can be sent in small
 * groups while no second has much more than `rate`.
 * @param rate messages per second; null for no limit
 */
export function createThrottle(rate: number | null, now: number): Throttle {
  if (rate === null) return { available: () => Infinity, waitMs: () => 0, take: nothing, giveBack: nothing };
  const size = Math.max(1, rate / 10);
  let tokens = size;
  let filledAt = now;
  const fill = (at: number): void => {
    tokens = Math.min(size, tokens + (Math.max(0, at - filledAt) * rate) / 1000);
    filledAt = Math.max(filledAt, at);
  };
  return {
    available(at) {
      fill(at);
      return Math.floor(tokens + 1e-9);
    },
    waitMs(at) {
      fill(at);
      return tokens + 1e-9 >= 1 ? 0 : ((1 - tokens) * 1000) / rate;
    },
    take(n, at) {
      fill(at);
      tokens -= n;
    },
    giveBack(n) {
      tokens = Math.min(size, tokens + n);
    },
  };
}

function nothing(): void {}
