import { expect, test } from "vitest";
import { afterEvent, openStanding, phaseOf, widthOf, type ProviderEvent } from "../../../src/providers/state.ts";
import type { Standing } from "../../../src/providers/state.ts";

const start = new Date("2026-11-24T07:00:00Z");
const after = (minutes: number) => new Date(start.getTime() + minutes * 60_000);
const full = 4;

/** Lets events happen, each at its minute. */
function story(events: [number, ProviderEvent][], from: Standing = openStanding): Standing {
  return events.reduce((now, [at, event]) => afterEvent(now, event, { now: after(at), full }) ?? now, from);
}

test("a provider that asks for fewer emails pauses for ten minutes, twice as long each time, at most four hours", () => {
  let [at, standing]: [number, Standing] = [0, openStanding];
  const pauses = Array.from({ length: 7 }, () => {
    standing = story([[at, "slowed"]], standing);
    expect(widthOf(standing, after(at))).toBe(0);
    const minutes = (standing.until!.getTime() - after(at).getTime()) / 60_000;
    at += minutes;
    expect(widthOf(standing, after(at - 0.01))).toBe(0);
    return minutes;
  });
  expect(pauses).toEqual([10, 20, 40, 80, 160, 240, 240]);
});

test("it comes back with one message at a time, and gets one more for each success, until it is open", () => {
  const widths = [1, 2, 3].map((accepted) => {
    const events = Array.from({ length: accepted - 1 }, (): [number, ProviderEvent] => [10, "accepted"]);
    return widthOf(story([[0, "slowed"], ...events]), after(10));
  });
  expect(widths).toEqual([1, 2, 3]);
  const open = story([
    [0, "slowed"],
    [10, "accepted"],
    [10, "accepted"],
    [10, "accepted"],
    [10, "accepted"],
  ]);
  expect(open).toEqual(openStanding);
});

test("a pause after a setback is longer, and short again once the provider was open", () => {
  expect(
    story([
      [0, "slowed"],
      [10, "accepted"],
      [11, "slowed"],
    ]),
  ).toMatchObject({ until: after(31), failures: 2 });
  const recovered = story([
    [0, "slowed"],
    ...Array.from({ length: 9 }, (): [number, ProviderEvent] => [10, "accepted"]),
  ]);
  expect(story([[20, "slowed"]], recovered)).toMatchObject({ until: after(30), failures: 1 });
});

test("replies to what was sent before a pause change nothing", () => {
  const paused = story([[0, "slowed"]]);
  expect(
    story(
      [
        [1, "slowed"],
        [2, "accepted"],
      ],
      paused,
    ),
  ).toEqual(paused);
});

test("a block lasts until an operator lifts it, or is tried again after a day", () => {
  const blocked = story([
    [0, "slowed"],
    [1, "refused"],
  ]);
  expect(blocked).toMatchObject({ state: "blocked", until: after(1 + 24 * 60) });
  expect(
    story(
      [
        [2, "slowed"],
        [3, "refused"],
        [4, "accepted"],
      ],
      blocked,
    ),
  ).toEqual(blocked);
  const resumed = story([[5, "resumed"]], blocked);
  expect([phaseOf(resumed, after(5)), widthOf(resumed, after(5)), resumed.failures]).toEqual(["probing", 1, 0]);
  expect(phaseOf(blocked, after(1 + 24 * 60))).toBe("probing");
  expect(story([[1 + 24 * 60, "refused"]], blocked)).toMatchObject({ state: "blocked", until: after(1 + 48 * 60) });
});

test.each<[Standing]>([[openStanding], [{ ...openStanding, state: "growing", width: 3 }]])(
  "there is nothing to resume at %j",
  (standing) => {
    expect(afterEvent(standing, "resumed", { now: start, full })).toBeNull();
  },
);
