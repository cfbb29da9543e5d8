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
