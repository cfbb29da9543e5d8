import { expect, test } from "vitest";
import { createBreaker } from "../../../src/mail/breaker.ts";

test("pauses double from one second to sixty, then one connection tries", () => {
  const breaker = createBreaker(10);
  expect([breaker.waitMs(0), breaker.width(), breaker.reason()]).toEqual([0, 10, null]);
  const pauses: number[] = [];
  for (let i = 0, now = 0; i < 9; i += 1) {
    breaker.failed("refused", now, now);
    pauses.push(breaker.waitMs(now) / 1000);
    now += breaker.waitMs(now);
    expect([breaker.waitMs(now), breaker.width()]).toEqual([0, 1]);
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test("failures of attempts that began before the pause count once", () => {
  const breaker = createBreaker(10);
  for (let i = 0; i < 10; i += 1) breaker.failed("refused", 0, 5 + i);
  expect(breaker.waitMs(5)).toBe(1_000);
  breaker.failed("late", 0, 30_000);
  expect([breaker.waitMs(30_000), breaker.reason()]).toEqual([0, "refused"]);
});

test("each answer lets in one more connection, and the next trouble starts small again", () => {
  const breaker = createBreaker(3);
  breaker.failed("refused", 0, 0);
  breaker.failed("refused", 2_000, 2_000);
  breaker.worked();
  expect([breaker.width(), breaker.reason()]).toEqual([2, "refused"]);
  breaker.worked();
  expect([breaker.width(), breaker.reason()]).toEqual([3, null]);
  breaker.failed("refused", 9_000, 9_000);
  expect(breaker.waitMs(9_000)).toBe(1_000);
});

test("a relay that asks for silence gets it, also while it is left alone already", () => {
  const breaker = createBreaker(3);
  breaker.failed("421 4.3.2", 0, 0);
  breaker.failed("421 4.7.28", 0, 10, 600_000);
  expect([breaker.waitMs(10), breaker.reason()]).toEqual([600_000, "421 4.7.28"]);
});

test("a relay that cannot be reached is left alone until it can, and then tried at once, but not before the quiet it asked for", () => {
  const breaker = createBreaker(3);
  for (let i = 0; i < 6; i += 1) breaker.failed("refused", i * 100_000, i * 100_000);
  breaker.unreachable();
  expect(breaker.waitMs(10_000_000)).toBeGreaterThan(0);
  breaker.reachable(500_001);
  expect([breaker.waitMs(500_001), breaker.width()]).toEqual([0, 1]);
  breaker.failed("421 4.7.28", 600_000, 600_000, 600_000);
  breaker.unreachable();
  breaker.reachable(600_100);
  expect(breaker.waitMs(600_100)).toBe(599_900);
});

test.each([
  ["noticed before it ends", [200, 900]],
  ["noticed when it is over", [1_200]],
])("a message from before another worker's pause, %s, does not lengthen it", (_when, noticed) => {
  const breaker = createBreaker(3);
  const pause = { reason: "421 4.3.2", failures: 1 };
  for (const now of noticed) {
    breaker.adopt({ ...pause, waitMs: Math.max(0, 1_100 - now), mine: now >= 1_100 }, now);
  }
  breaker.adopt({ ...pause, waitMs: 0, mine: true }, 1_300);
  breaker.failed("timeout", 100, 1_400);
  expect([breaker.waitMs(1_400), breaker.failures()]).toEqual([0, 1]);
  breaker.failed("421 4.3.2", 1_350, 1_450);
  expect([breaker.waitMs(1_450), breaker.failures()]).toEqual([2_000, 2]);
});

test("a message from before another worker's later pause does not lengthen that one", () => {
  const breaker = createBreaker(3);
  const pause = { waitMs: 0, mine: true, reason: "421 4.3.2", failures: 1 };
  breaker.failed("421 4.3.2", 0, 0);
  breaker.hold();
  breaker.adopt(pause, 1_000);
  breaker.adopt({ ...pause, waitMs: 2_000, mine: false, failures: 2 }, 1_500);
  breaker.adopt({ ...pause, failures: 2 }, 3_600);
  breaker.failed("timeout", 1_100, 3_700);
  expect([breaker.waitMs(3_700), breaker.failures()]).toEqual([0, 2]);
});
