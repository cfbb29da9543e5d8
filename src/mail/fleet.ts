import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Breaker } from "./breaker.ts";
import { exchange, noLimits, shareOf, tokensOf, type Answer, type Ask, type Failure } from "./shared-limits.ts";
import type { Throttle } from "./throttle.ts";

/** Where the workers of a publication keep their shared limits. Rejects when it cannot be reached. */
export interface LimitStore {
  exchange(ask: Ask): Promise<Answer>;
}

/** One worker's part in the shared limits. */
export interface Fleet {
  /** Whether the last answer is recent enough to send. */
  ready(now: number): boolean;
  /** This worker's share of the connections. */
  connections(): number;
  /** There is something to send: asks the store if what is known grows old or tokens run out. */
  want(now: number): void;
  /** Counts messages for the case that the relay gets too much of them. */
  sent(n: number, now: number): void;
  failed(failure: Failure): void;
  worked(): void;
  tooFast(now: number): void;
  close(): void;
}

/** Other workers' pauses and a change of shares are noticed in this time. */
const lookEveryMs = 1_000;
/** Nothing is sent if the last answer is older: without the store, sending stops, as it does without the database. */
const staleMs = 2_500;
const retryMs = 500;

/**
 * Keeps one worker in step with the others. It asks the store while there is something to send: every second, and before its
 * tokens run out. There is one question at a time, and what has happened since it was asked counts more than its answer.
 * @param deps.ticks milliseconds of a monotonic clock
 * @param deps.changed called after every answer
 * @param deps.idle whether there is nothing to send
 * @param deps.resumed called when a pause of all workers is over
 */
export function joinFleet(
  deps: {
    store: LimitStore;
    breaker: Breaker;
    throttle: Throttle;
    log: Log;
    ticks(): number;
    changed(): void;
    idle(): boolean;
    resumed(): void;
  },
  options: { connections: number; rate: number | null },
): Fleet {
  const { store, breaker, throttle, ticks } = deps;
  const theirs = followClock();
  const meter = countRate();
  let news: Pick<Ask, "failed" | "worked" | "tooFast"> = {};
  let last: Answer | null = null;
  let freshAt = -Infinity;
  let triedAt = -Infinity;
  let retryAt = -Infinity;
  let asking = false;
  let failing = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const hasNews = (): boolean => Object.keys(news).length > 0;

  function needsTokens(now: number): Ask["lease"] {
    const rate = last === null ? options.rate : last.rate;
    if (rate === null || now < retryAt || breaker.waitMs(now) > 0) return null;
    const tokens = tokensOf(rate);
    const left = throttle.left(now);
    if (left === 0) return "now";
    return tokens > 1 && left <= tokens ? "soon" : null;
  }

  async function ask(): Promise<void> {
    if (asking || closed) return;
    asking = true;
    clearTimeout(timer);
    timer = undefined;
    const reported = news;
    news = {};
    const askedAt = ticks();
    triedAt = askedAt;
    try {
      const answer = await store.exchange({ rate: options.rate, lease: needsTokens(askedAt), ...reported });
      const now = ticks();
      theirs.note(answer.now, askedAt, now);
      freshAt = askedAt;
      adopt(answer, now);
      if (failing) deps.log.info({}, "the shared sending limits are known again");
      failing = false;
    } catch (error) {
      news = { ...reported, ...news };
      if (!failing)
        deps.log.warn({ reason: reasonOf(error) }, "the shared sending limits cannot be read, nothing is sent");
      failing = true;
    }
    asking = false;
    if (closed) return;
    deps.changed();
    if (!asking) askLater();
  }

  function adopt(answer: Answer, now: number): void {
    last = answer;
    throttle.limit(answer.rate !== null);
    if (answer.lease) throttle.add({ ...answer.lease, from: theirs.toOurs(answer.lease.from) });
    retryAt = answer.retryMs === null ? -Infinity : now + answer.retryMs;
    // What the relay has said since the question was asked is news to the store.
    if (news.failed || news.worked) return;
    const before = breaker.reason();
    breaker.adopt(answer.pause, now);
    if (before !== null && breaker.reason() === null) deps.resumed();
  }

  /** The timer covers what no sender asks about: news, the end of another worker's pause, a retry. */
  function askLater(): void {
    clearTimeout(timer);
    timer = undefined;
    if (!hasNews() && deps.idle()) return;
    const wait = retryAt - ticks();
    const calm = wait > 0 ? Math.min(wait, lookEveryMs) : lookEveryMs;
    timer = setTimeout(() => void ask(), failing ? retryMs : hasNews() ? 0 : calm).unref();
  }

  function report(more: typeof news): void {
    news = { ...news, ...more };
    if (failing) askLater();
    else void ask();
  }

  return {
    ready: (now) => now - freshAt <= staleMs,
    connections: () => (last === null ? options.connections : shareOf(options.connections, last.workers)),
    want(now) {
      if (asking) return;
      const due = failing ? now - triedAt >= retryMs : now - freshAt >= lookEveryMs || needsTokens(now) !== null;
      if (due) void ask();
      else if (timer === undefined) askLater();
    },
    sent: meter.add,
    failed(failure) {
      breaker.hold();
      report({ failed: failure });
    },
    worked() {
      if (last?.pause && news.worked !== true) report({ worked: true });
    },
    tooFast(now) {
      if (!news.tooFast) report({ tooFast: { sent: meter.perSecond(now) } });
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** The limits of a single process, in its memory. */
export function ownLimits(ticks: () => number): LimitStore {
  let limits = noLimits;
  const workers = { others: 0, before: 0, ageMs: null };
  return {
    async exchange(ask) {
      const result = exchange(limits, "self", ask, { now: ticks(), workers });
      limits = result.limits;
      return result.answer;
    },
  };
}

/**
 * Converts times of another clock to our monotonic one. Each reading of it was made between a question and its answer, so
 * several readings narrow the difference down. One that doesn't fit means that the other clock was set.
 */
function followClock(): {
  note(theirs: number, askedAt: number, answeredAt: number): void;
  toOurs(theirs: number): number;
} {
  let least = -Infinity;
  let most = Infinity;
  return {
    note(theirs, askedAt, answeredAt) {
      const low = theirs - answeredAt;
      const high = theirs - askedAt;
      const fits = low <= most && high >= least;
      least = fits ? Math.max(least, low) : low;
      most = fits ? Math.min(most, high) : high;
    },
    toOurs: (theirs) => theirs - (least + most) / 2,
  };
}

/** Counts messages in the present second and in the one before. */
function countRate(): { add(n: number, now: number): void; perSecond(now: number): number } {
  let second = -1;
  let count = 0;
  let before = 0;
  const turn = (now: number): void => {
    const present = Math.floor(now / 1_000);
    if (present === second) return;
    before = present === second + 1 ? count : 0;
    count = 0;
    second = present;
  };
  return {
    add(n, now) {
      turn(now);
      count += n;
    },
    perSecond(now) {
      turn(now);
      return Math.max(count, before);
    },
  };
}
