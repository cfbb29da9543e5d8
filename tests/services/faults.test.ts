import { afterAll, beforeAll, expect, test } from "vitest";
import { faults, sendThrough } from "../faults/faults.ts";
import { openStage, type Stage } from "../faults/stage.ts";

/** The short form of those faults of `npm run test:faults` that no other test has. One edition for each, on one stage. */
let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    readers: 1_000,
    connections: 10,
    redisKeepsItsData: false,
    through: ["servers", "relay"],
    secondClockMs: 300_000,
  });
});
afterAll(() => stage.close());

test.each(["clocks", "sink-late", "network-servers", "network-relay"] as const)(
  "%s: every email is accounted for, and nobody gets two",
  async (name) => {
    const result = await sendThrough(faults[name], stage, { outageMs: 1_500, limitMs: 60_000 });
    expect(result).toMatchObject({ lost: 0, doubled: 0 });
    expect(result.unknown).toBeLessThanOrEqual(result.mostUnknown);
    expect(result.accepted).toBeGreaterThanOrEqual(result.readers - result.unknown);
  },
  90_000,
);
