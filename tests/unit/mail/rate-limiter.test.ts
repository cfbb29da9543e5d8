import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createBreaker } from "../../../src/mail/breaker.ts";
import { createRateLimiter, ticks, type RateLimiter } from "../../../src/mail/rate-limiter.ts";
import { createThrottle, type Throttle } from "../../../src/mail/throttle.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function gateOf(connections: number, rate: number | null = null): RateLimiter {
  return createRateLimiter({
    connections,
    breaker: createBreaker(connections),
    throttle: throttleOf(rate),
  });
}

function throttleOf(rate: number | null): Throttle {
  const throttle = createThrottle(rate !== null);
  if (rate !== null) throttle.add({ from: ticks(), tokens: Infinity, rate });
  return throttle;
}

test("permits never exceed the connections and go in the order of asking", async () => {
  const limiter = gateOf(3);
  expect(await limiter.reserve(2)).toBe(2);
  expect(await limiter.reserve(5)).toBe(1);
  const order: string[] = [];
  const first = limiter.reserve(3).then((n) => order.push(`first ${n}`));
  const second = limiter.reserve(1).then((n) => order.push(`second ${n}`));
  await limiter.begin();
  limiter.release(2);
  await first;
  expect(order).toEqual(["first 2"]);
  limiter.end();
  await second;
  expect(order).toEqual(["first 2", "second 1"]);
});

test("a send without a permit takes its turn and no one else's", async () => {
  const limiter = gateOf(1);
  expect(await limiter.begin()).toBe(true);
  const waiting = [limiter.begin(), limiter.reserve(4)] as const;
  limiter.end();
  expect(await waiting[0]).toBe(true);
  limiter.end();
  expect(await waiting[1]).toBe(1);
});

test("the rate holds on a clock of its own", async () => {
  const limiter = gateOf(100, 20);
  let sent = 0;
  const sender = (async () => {
    for (let n = await limiter.reserve(10); n > 0; n = await limiter.reserve(10)) {
      sent += n;
      for (let i = 0; i < n; i += 1) {
        await limiter.begin();
        limiter.end();
      }
    }
  })();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent).toBeGreaterThan(190);
  expect(sent).toBeLessThanOrEqual(203);
  limiter.close();
  await sender;
});

test("a pause that ends at the moment of asking is over soon", async () => {
  const breaker = createBreaker(1);
  breaker.failed("451 try again", 0, 0);
  // A timer can fire just before its time, so the pause may end between two readings of the clock.
  vi.spyOn(performance, "now").mockReturnValue(1_000.001).mockReturnValueOnce(999.999);
  const limiter = createRateLimiter({ connections: 1, breaker, throttle: createThrottle(false) });
  const granted: number[] = [];
  void limiter.reserve(1).then((n) => granted.push(n));
  await vi.advanceTimersByTimeAsync(10);
  expect(granted).toEqual([1]);
});

test("closing answers everyone who waits, and drains when the last send ends or time is up", async () => {
  const limiter = gateOf(1);
  await limiter.begin();
  const waiting = [limiter.reserve(1), limiter.begin()] as const;
  limiter.close();
  expect([await waiting[0], await waiting[1], await limiter.reserve(1), await limiter.begin()]).toEqual([
    0,
    false,
    0,
    false,
  ]);
  let drained = false;
  const draining = limiter.drained(60_000).then(() => (drained = true));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(drained).toBe(false);
  limiter.end();
  await draining;
  expect(vi.getTimerCount()).toBe(0);
});

test("one who gives up waiting makes room for the next", async () => {
  const limiter = gateOf(1);
  await limiter.reserve(1);
  const givingUp = new AbortController();
  const first = limiter.reserve(1, givingUp.signal);
  const second = limiter.reserve(1);
  givingUp.abort();
  expect(await first).toBe(0);
  limiter.release(1);
  expect(await second).toBe(1);
});
