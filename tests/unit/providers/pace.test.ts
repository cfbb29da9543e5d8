import fc from "fast-check";
import { expect, test } from "vitest";
import { afterAnswer, firstPace, isSlow, roomOf, shareOf, slowShare, type Pace } from "../../../src/providers/pace.ts";

const connections = 20;
const room = (pace: Pace, rest: Partial<Parameters<typeof roomOf>[0]> = {}) =>
  roomOf({ pace, slow: false, inFlight: 0, width: Infinity, workers: 1, connections, ...rest });

test("a receiver begins with a quarter of the connections and has all of them after a few answers", () => {
  let pace = firstPace(connections);
  expect(room(pace)).toBe(5);
  for (let i = 0; i < 50; i += 1) pace = afterAnswer(pace, { ms: 40, accepted: true }, connections);
  expect(room(pace)).toBe(2 * connections);
  expect(room(pace, { inFlight: 38 })).toBe(2);
});

test.each<[string, Pace, number, number | null, boolean]>([
  ["one that has not answered for ten seconds", firstPace(20), 10_000, 50, true],
  ["one whose answers took half a minute", { window: 20, typicalMs: 30_000 }, 0, 50, true],
  ["one that has been out for two seconds", firstPace(20), 2_000, 50, false],
  ["a slow one among slow ones", { window: 20, typicalMs: 9_000 }, 0, 6_000, false],
  ["the only one", { window: 20, typicalMs: 30_000 }, 30_000, null, false],
])("%s is slow: %s", (_what, pace, outMs, othersMs, slow) => {
  expect(isSlow(pace, outMs, othersMs)).toBe(slow);
});

test("a slow one keeps a tenth of the connections", () => {
  expect(slowShare(connections)).toBe(2);
  expect(room({ window: 20, typicalMs: 30_000 }, { slow: true })).toBe(2);
  expect(room({ window: 20, typicalMs: 30_000 }, { slow: true, inFlight: 5 })).toBe(0);
});

test("a refusal that comes sooner than an acceptance makes nobody fast", () => {
  const slow = { window: 5, typicalMs: 30_000 };
  expect(afterAnswer(slow, { ms: 5, accepted: false }, connections).typicalMs).toBe(30_000);
  expect(afterAnswer(firstPace(20), { ms: 20_000, accepted: false }, connections).typicalMs).toBe(20_000);
});

test("all workers together exceed a provider's width by less than their number, and each can go on", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 30 }), (width, workers) => {
      const share = shareOf(width, workers);
      expect(share * workers).toBeLessThan(width + workers);
      expect(share > 0).toBe(width > 0);
    }),
  );
});
