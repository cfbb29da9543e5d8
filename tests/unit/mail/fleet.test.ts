import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { createBreaker, type Breaker } from "../../../src/mail/breaker.ts";
import { joinFleet, type Fleet } from "../../../src/mail/fleet.ts";
import { createRateLimiter, ticks, type RateLimiter } from "../../../src/mail/rate-limiter.ts";
import { exchange, noLimits, resume, type Workers } from "../../../src/mail/shared-limits.ts";
import { createThrottle } from "../../../src/mail/throttle.ts";
import { alone, storeInMemory, type StoreInMemory } from "../../support/limit-store.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Worker {
  limiter: RateLimiter;
  fleet: Fleet;
  breaker: Breaker;
  /** When each message was sent. */
  sent: number[];
  stop(): void;
}

/** A worker that always has more to send, and whose messages take no time. */
function startWorker(store: StoreInMemory, rate: number | null, workers: Workers = alone, connections = 100): Worker {
  const worker = join(store, rate, workers, connections);
  void (async () => {
    for (let n = await worker.limiter.reserve(10); n > 0; n = await worker.limiter.reserve(10)) {
      for (let i = 0; i < n; i += 1) {
        await worker.limiter.begin();
        worker.sent.push(performance.now());
        worker.limiter.end();
      }
      await new Promise((resolve) => void setTimeout(resolve, 1));
    }
  })();
  return worker;
}

let names = 0;
function join(store: StoreInMemory, rate: number | null, workers: Workers = alone, connections = 100): Worker {
  const breaker = createBreaker(connections);
  const throttle = createThrottle();
  const fleet = joinFleet(
    {
      store: store.of(`worker ${(names += 1)}`, workers),
      breaker,
      throttle,
      log: silentLog,
      ticks,
      changed: () => limiter.wake(),
      idle: () => limiter.idle(),
      resumed: () => undefined,
    },
    { connections, rate },
  );
  const limiter: RateLimiter = createRateLimiter({ connections, breaker, throttle, fleet });
  const stop = (): void => {
    limiter.close();
    fleet.close();
  };
  return { limiter, fleet, breaker, sent: [], stop };
}

/** The fewest and the most messages of any second between two times. */
function perSecond(workers: readonly Worker[], from: number, to: number): { least: number; most: number } {
  const times = workers.flatMap(({ sent }) => sent).toSorted((a, b) => a - b);
  const counts: number[] = [];
  for (let start = from; start + 1_000 <= to; start += 10) {
    counts.push(times.filter((at) => at >= start && at < start + 1_000).length);
  }
  return { least: Math.min(...counts), most: Math.max(...counts) };
}

test.each([
  [7, 1],
  [100, 1],
  [100, 2],
  [100, 5],
  [1_500, 3],
])("%i messages a second are the rate of %i workers together", async (rate, count) => {
  const store = storeInMemory();
  const workers = Array.from({ length: count }, () =>
    startWorker(store, rate, { ...alone, others: count - 1 }, 100 * count),
  );
  const began = performance.now();
  await vi.advanceTimersByTimeAsync(8_000);
  const { least, most } = perSecond(workers, began + 1_000, began + 8_000);
  expect(least).toBeGreaterThanOrEqual(Math.floor(rate * 0.95) - 1);
  expect(most).toBeLessThanOrEqual(Math.ceil(rate * 1.05));
  for (const { sent } of workers) expect(sent.length).toBeGreaterThan((rate * 8) / count / 2);
  expect(store.asked).toBeLessThan(8 * (12 + 10 * count));
  workers.forEach(({ stop }) => stop());
});

test("a worker that joins and one that is killed change nothing about the rate", async () => {
  const store = storeInMemory();
  const first = startWorker(store, 100);
  const began = performance.now();
  await vi.advanceTimersByTimeAsync(3_000);
  const second = startWorker(store, 100);
  await vi.advanceTimersByTimeAsync(3_000);
  first.stop();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(perSecond([first, second], began + 1_000, began + 10_000).most).toBeLessThanOrEqual(105);
  // What the dead one had leased is lost, two leases at most.
  expect(perSecond([first, second], began + 1_000, began + 10_000).least).toBeGreaterThanOrEqual(75);
  expect(perSecond([first, second], began + 7_000, began + 10_000).least).toBeGreaterThanOrEqual(95);
  second.stop();
});

test.each([3_600_000, -3_600_000])("the store's clock is set by %i ms and the rate stays", async (step) => {
  const store = storeInMemory();
  const workers = [startWorker(store, 100), startWorker(store, 100)];
  const began = performance.now();
  await vi.advanceTimersByTimeAsync(2_000);
  store.ahead += step;
  await vi.advanceTimersByTimeAsync(4_000);
  const { least, most } = perSecond(workers, began + 3_500, began + 6_000);
  expect(least).toBeGreaterThanOrEqual(95);
  expect(most).toBeLessThanOrEqual(105);
  expect(perSecond(workers, began + 1_000, began + 6_000).most).toBeLessThanOrEqual(145);
  workers.forEach(({ stop }) => stop());
});

test.each([100, null])("without the store nothing is sent, with a rate of %s", async (rate) => {
  const store = storeInMemory();
  const worker = startWorker(store, rate, alone, 2);
  await vi.advanceTimersByTimeAsync(1_000);
  store.away = true;
  await vi.advanceTimersByTimeAsync(3_000);
  const before = worker.sent.length;
  expect(before).toBeGreaterThan(90);
  await vi.advanceTimersByTimeAsync(7_000);
  expect(worker.sent.length).toBe(before);
  store.away = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(worker.sent.length).toBeGreaterThan(before + 40);
  worker.stop();
});

test("a worker with nothing to send asks for nothing, and the first message need not wait long", async () => {
  const store = storeInMemory();
  const idle = join(store, 100);
  const busy = startWorker(store, 100);
  await vi.advanceTimersByTimeAsync(2_000);
  const waits = performance.now();
  const reserved = idle.limiter.reserve(1).then(() => performance.now() - waits);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await reserved).toBeLessThan(350);
  idle.limiter.release(1);
  await vi.advanceTimersByTimeAsync(2_000);
  busy.stop();
  const asked = store.asked;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(store.asked).toBe(asked);
  idle.stop();
});

test("a pause that one worker asks for holds the others back, and one message of one worker ends it", async () => {
  const store = storeInMemory();
  const [first, second, third] = [
    startWorker(store, null),
    startWorker(store, null),
    startWorker(store, null),
  ] as const;
  const all = [first, second, third];
  await vi.advanceTimersByTimeAsync(1_500);
  first.breaker.failed("421 4.7.0 slow down", performance.now(), performance.now(), 20_000);
  first.fleet.failed({ ms: 20_000, reason: "421 4.7.0 slow down", failures: 1, quota: null });
  await vi.advanceTimersByTimeAsync(1_500);
  const counts = all.map(({ sent }) => sent.length);
  await vi.advanceTimersByTimeAsync(18_000);
  expect(all.map(({ sent }) => sent.length)).toEqual(counts);
  expect(second.breaker.reason()).toBe("421 4.7.0 slow down");
  // No answer of the relay yet, so that one worker goes on alone, with one connection.
  await vi.advanceTimersByTimeAsync(3_000);
  const probing = all.filter(({ sent }, i) => sent.length > counts[i]!);
  expect(probing).toHaveLength(1);
  expect(probing[0]!.breaker.width()).toBe(1);
  probing[0]!.breaker.worked();
  probing[0]!.fleet.worked();
  await vi.advanceTimersByTimeAsync(1_500);
  for (const [i, { sent, breaker }] of all.entries()) {
    expect(sent.length).toBeGreaterThan(counts[i]!);
    expect(breaker.reason()).toBe(null);
  }
  all.forEach(({ stop }) => stop());
});

test("a pause that an operator ends is over for one worker within a second or two", async () => {
  const store = storeInMemory();
  const all = [startWorker(store, null), startWorker(store, null)];
  await vi.advanceTimersByTimeAsync(1_500);
  const [{ breaker, fleet }] = all as [Worker, Worker];
  breaker.failed("454 quota exceeded", performance.now(), performance.now(), 3_600_000);
  fleet.failed({ ms: 3_600_000, reason: "454 quota exceeded", failures: 1, quota: "day" });
  await vi.advanceTimersByTimeAsync(1_500);
  const counts = all.map(({ sent }) => sent.length);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(all.map(({ sent }) => sent.length)).toEqual(counts);
  store.limits = resume(store.limits, performance.now() + store.ahead);
  expect(resume(store.limits, performance.now() + store.ahead)).toBe(store.limits);
  await vi.advanceTimersByTimeAsync(2_000);
  const probing = all.filter(({ sent }, i) => sent.length > counts[i]!);
  expect(probing).toHaveLength(1);
  expect(probing[0]!.breaker.width()).toBe(1);
  all.forEach(({ stop }) => stop());
});

test("a worker that starts during a pause keeps it; one that dies while it tries the relay is replaced", async () => {
  const store = storeInMemory();
  const first = join(store, null);
  first.fleet.failed({ ms: 10_000, reason: "421 closing", failures: 4, quota: "day" });
  await vi.advanceTimersByTimeAsync(100);
  first.stop();
  const second = startWorker(store, null);
  await vi.advanceTimersByTimeAsync(9_000);
  expect(second.sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(second.sent.length).toBeGreaterThan(0);
  expect(second.breaker.failures()).toBe(4);
  second.stop();
  const third = startWorker(store, null);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(third.sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(third.sent.length).toBeGreaterThan(0);
  third.stop();
});

test("a relay that gets too much halves the rate of all workers, which then grows back slowly", async () => {
  const store = storeInMemory();
  const workers = [startWorker(store, 100), startWorker(store, 100)];
  const began = performance.now();
  await vi.advanceTimersByTimeAsync(2_000);
  for (let i = 0; i < 5; i += 1) workers[0]!.fleet.tooFast(performance.now());
  await vi.advanceTimersByTimeAsync(100);
  workers[1]!.fleet.tooFast(performance.now());
  await vi.advanceTimersByTimeAsync(59_900);
  expect(perSecond(workers, began + 2_500, began + 5_000).most).toBeLessThanOrEqual(56);
  expect(perSecond(workers, began + 2_500, began + 5_000).least).toBeGreaterThanOrEqual(45);
  expect(perSecond(workers, began + 25_000, began + 30_000).least).toBeGreaterThanOrEqual(65);
  expect(perSecond(workers, began + 56_000, began + 62_000).least).toBeGreaterThanOrEqual(95);
  workers.forEach(({ stop }) => stop());
});

test("without a limit, the relay's complaint makes one of what was sent", async () => {
  const store = storeInMemory();
  const workers = [
    startWorker(store, null, { ...alone, others: 1 }, 1),
    startWorker(store, null, { ...alone, others: 1 }, 1),
  ];
  await vi.advanceTimersByTimeAsync(3_000);
  const before = workers.reduce((sum, { sent }) => sum + sent.length, 0) / 3;
  workers[0]!.fleet.tooFast(performance.now());
  const at = performance.now();
  await vi.advanceTimersByTimeAsync(4_000);
  const { least, most } = perSecond(workers, at + 1_500, at + 4_000);
  expect(least).toBeGreaterThan(before * 0.45);
  expect(most).toBeLessThan(before * 0.62);
  workers.forEach(({ stop }) => stop());
});

test("a notice goes first in line, however busy an edition is", async () => {
  const store = storeInMemory();
  const worker = startWorker(store, 5, alone, 2);
  await vi.advanceTimersByTimeAsync(5_000);
  for (let i = 0; i < 5; i += 1) {
    const asked = performance.now();
    const waited = worker.limiter.reserve(20).then((n) => {
      worker.limiter.release(n);
      return performance.now() - asked;
    });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await waited).toBeLessThan(450);
  }
  worker.stop();
});

test("leases never overlap, whoever asks when, also while the rate changes", () => {
  const asks = fc.array(
    fc.record({
      worker: fc.integer({ min: 0, max: 4 }),
      lease: fc.constantFrom("now" as const, "soon" as const),
      afterMs: fc.double({ min: 0, max: 300, noNaN: true }),
      tooFast: fc.boolean(),
    }),
    { minLength: 20, maxLength: 200 },
  );
  fc.assert(
    fc.property(asks, fc.double({ min: 0.5, max: 5_000, noNaN: true }), (asked, rate) => {
      let limits = noLimits;
      let now = 1_000_000;
      let end = 0;
      for (const { worker, lease, afterMs, tooFast } of asked) {
        now += afterMs;
        const ask = { rate, lease, ...(tooFast ? { tooFast: { sent: 1 } } : {}) };
        const result = exchange(limits, String(worker), ask, { now, workers: { others: 4, before: 0, ageMs: 9_999 } });
        limits = result.limits;
        const given = result.answer.lease;
        if (!given) continue;
        expect(given.from).toBeGreaterThanOrEqual(Math.max(now, end) - 0.001);
        expect(given.rate).toBeLessThanOrEqual(rate);
        end = given.from + (given.tokens * 1_000) / given.rate;
      }
    }),
  );
});
