import fc from "fast-check";
import { expect, test } from "vitest";
import { createThrottle } from "../../../src/mail/throttle.ts";

/** Takes whatever may be taken, for `seconds` on a clock of our own; returns when each message went, in milliseconds. */
function drive(rate: number, seconds: number): number[] {
  const throttle = createThrottle();
  throttle.add({ from: 0, tokens: Infinity, rate });
  const sent: number[] = [];
  for (let now = 0; now < seconds * 1000;) {
    const n = throttle.available(now);
    for (let i = 0; i < n; i += 1) sent.push(now);
    throttle.take(n, now);
    now += Math.max(1, throttle.waitMs(now));
  }
  return sent;
}

test("any second sees the rate and at most a twentieth more, and a long run keeps to the rate", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.2, max: 2_000, noNaN: true }), (rate) => {
      const sent = drive(rate, 10);
      const burst = Math.max(1, rate / 20);
      for (const [i, at] of sent.entries()) {
        const last = sent[i + Math.ceil(rate + burst)];
        if (last !== undefined) expect(last - at).toBeGreaterThanOrEqual(999);
      }
      expect(sent.length).toBeLessThanOrEqual(Math.ceil(rate * 10 + burst));
      expect(sent.length).toBeGreaterThanOrEqual(Math.floor(rate * 10 * 0.9) - 1);
    }),
    { numRuns: 50 },
  );
});

test("the tokens of a lease come one by one, can be given back, and lapse", () => {
  const throttle = createThrottle();
  expect([throttle.available(0), throttle.waitMs(0)]).toEqual([0, Infinity]);
  throttle.add({ from: 10, tokens: 5, rate: 100 });
  expect([throttle.available(0), throttle.waitMs(0), throttle.left(0)]).toEqual([0, 10, 5]);
  expect([throttle.available(35), throttle.waitMs(35)]).toEqual([3, 0]);
  throttle.take(3, 35);
  expect([throttle.available(35), throttle.waitMs(35), throttle.left(35)]).toEqual([0, 5, 2]);
  throttle.giveBack(1);
  expect(throttle.available(35)).toBe(1);
  throttle.add({ from: 60, tokens: 1, rate: 100 });
  expect(throttle.available(60)).toBe(4);
  // 50 ms late is too late.
  expect(throttle.available(95)).toBe(2);
  expect([throttle.available(200), throttle.left(200), throttle.waitMs(200)]).toEqual([0, 0, Infinity]);
});

test("a token of a slow rate lapses later than one of a fast rate", () => {
  const throttle = createThrottle();
  throttle.add({ from: 0, tokens: 1, rate: 1 });
  expect(throttle.available(400)).toBe(1);
  expect(throttle.available(600)).toBe(0);
});

test("without a limit there is none, and leases count again once there is one", () => {
  const throttle = createThrottle(false);
  throttle.take(1_000_000, 0);
  expect(throttle.waitMs(0)).toBe(0);
  throttle.limit(true);
  expect(throttle.waitMs(0)).toBe(Infinity);
});
