import fc from "fast-check";
import { expect, test } from "vitest";
import { createThrottle } from "../../../src/mail/throttle.ts";

/** Takes whatever may be taken, for `seconds` on a clock of our own; returns when each message went, in milliseconds. */
function drive(rate: number, seconds: number): number[] {
  const throttle = createThrottle(rate, 0);
  const sent: number[] = [];
  for (let now = 0; now < seconds * 1000;) {
    const n = throttle.available(now);
    for (let i = 0; i < n; i += 1) sent.push(now);
    throttle.take(n, now);
    now += Math.max(1, throttle.waitMs(now));
  }
  return sent;
}

test("any second sees the rate and at most a tenth more, and a long run keeps to the rate", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.2, max: 2_000, noNaN: true }), (rate) => {
      const sent = drive(rate, 10);
      const burst = Math.max(1, rate / 10);
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

test("permits given back can be used; a clock that steps back neither gives nor takes", () => {
  const throttle = createThrottle(20, 0);
  throttle.take(2, 0);
  expect(throttle.available(0)).toBe(0);
  expect(throttle.waitMs(0)).toBeCloseTo(50);
  throttle.giveBack(1);
  expect(throttle.available(0)).toBe(1);
  throttle.take(1, 0);
  expect(throttle.available(-5_000)).toBe(0);
  expect(throttle.available(60_000)).toBe(2);
});

test("without a rate there is no limit", () => {
  const throttle = createThrottle(null, 0);
  throttle.take(1_000_000, 0);
  expect(throttle.waitMs(0)).toBe(0);
});
