/** Permission for `tokens` messages: the first at `from`, the others one by one at `rate`. */
export interface Lease {
  /** Milliseconds of the clock that the throttle is asked with. */
  from: number;
  tokens: number;
  /** Messages per second. */
  rate: number;
}

/** Limits messages to the leases it was given. Times are milliseconds of a monotonic clock. */
export interface Throttle {
  /** How many messages are allowed now. */
  available(now: number): number;
  /** Time until one message is allowed; 0 if one is allowed now, Infinity if no lease has one. */
  waitMs(now: number): number;
  take(n: number, now: number): void;
  /** Returns tokens that were not used. */
  giveBack(n: number): void;
  add(lease: Lease): void;
  /** How many tokens are left, for now and later. */
  left(now: number): number;
  /** Without a limit every message is allowed. */
  limit(limited: boolean): void;
}

/**
 * A token lapses when it is this late. Together with tokens that are on time, late ones must not add more than 5 % to any
 * second.
 */
const lapseMs = 50;

/** @param limited false for no limit */
export function createThrottle(limited = true): Throttle {
  let leases: (Lease & { used: number })[] = [];
  let free = !limited;

  const gapOf = ({ rate }: Lease): number => 1_000 / rate;
  // A tiny share of a token is added against rounding.
  const dueBy = (lease: Lease, at: number): number =>
    at < lease.from ? 0 : Math.min(lease.tokens, Math.floor((at - lease.from) / gapOf(lease) + 1e-6) + 1);

  /** Tokens that have lapsed count as used. A lease whose tokens have all lapsed is dropped. */
  function lapse(now: number): void {
    const lapsed = (lease: Lease): number => dueBy(lease, now - Math.max(lapseMs, gapOf(lease) / 2));
    leases = leases.filter((lease) => lapsed(lease) < lease.tokens);
    for (const lease of leases) lease.used = Math.max(lease.used, lapsed(lease));
  }

  return {
    available(now) {
      if (free) return Infinity;
      lapse(now);
      return leases.reduce((sum, lease) => sum + Math.max(0, dueBy(lease, now) - lease.used), 0);
    },
    waitMs(now) {
      if (free) return 0;
      lapse(now);
      const next = leases
        .filter(({ used, tokens }) => used < tokens)
        .map((lease) => lease.from + lease.used * gapOf(lease) - now);
      return Math.max(0, Math.min(...next));
    },
    take(n, now) {
      for (const lease of free ? [] : leases) {
        const taken = Math.max(0, Math.min(n, dueBy(lease, now) - lease.used));
        lease.used += taken;
        n -= taken;
      }
    },
    giveBack(n) {
      for (const lease of leases.toReversed()) {
        const back = Math.min(n, lease.used);
        lease.used -= back;
        n -= back;
      }
    },
    add(lease) {
      leases.push({ ...lease, used: 0 });
    },
    left(now) {
      lapse(now);
      return leases.reduce((sum, { tokens, used }) => sum + tokens - used, 0);
    },
    limit(yes) {
      free = !yes;
    },
  };
}
