import fc from "fast-check";
import { expect, test } from "vitest";
import { plannedDays, servedFrom, warmUpDay, type WarmUpPlan } from "../../../src/deliveries/warm-up.ts";
import { steps } from "../../../src/config/parse-values.ts";
import { parseSettings } from "../../../src/config/settings.ts";

const plan: WarmUpPlan = { warmupStart: "2026-11-24", warmupSchedule: [200, 400, 400, 800], warmupHours: 1 };

test.each([
  ["before the start", "2026-11-23", 0, null],
  ["on the first day", "2026-11-24", 0, { day: 1, cap: 200 }],
  ["days after the start, when nothing was sent yet", "2026-11-30", 0, { day: 1, cap: 200 }],
  ["after two days", "2026-11-26", 2, { day: 3, cap: 400 }],
  ["after the last day", "2026-11-28", 4, null],
  ["long after it", "2027-11-28", 300, null],
])("the cap %s", (_when, date, sentDays, expected) => {
  expect(warmUpDay(plan, date, sentDays)).toEqual(expected);
});

test("without a start there is no cap", () => {
  expect(warmUpDay({ ...plan, warmupStart: null }, "2026-11-24", 0)).toBeNull();
});

test("the plan goes from a day to the first date without a cap", () => {
  const dates = ["2026-11-26", "2026-11-27", "2026-11-30", "2026-12-01"];
  expect(plannedDays(plan, { day: 3, cap: 400 }, dates)).toEqual([
    { date: "2026-11-26", cap: 400 },
    { date: "2026-11-27", cap: 800 },
    { date: "2026-11-30", cap: null },
  ]);
  expect(plannedDays(plan, { day: 1, cap: 200 }, ["2026-11-26"])).toEqual([{ date: "2026-11-26", cap: 200 }]);
});

test("a provider is fully served on the first date whose cap has room for all its readers", () => {
  const planned = [
    { date: "2026-11-26", cap: 400 },
    { date: "2026-11-27", cap: 800 },
    { date: "2026-11-30", cap: null },
  ];
  expect([400, 401, 800, 801].map((readers) => servedFrom(planned, readers))).toEqual([
    "2026-11-26",
    "2026-11-27",
    "2026-11-27",
    "2026-11-30",
  ]);
  expect(servedFrom(planned.slice(0, 2), 801)).toBeNull();
});

test("a schedule never decreases from day to day, and ends", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 100 }), (numbers) => {
      const text = numbers.toSorted((a, b) => a - b).join(",");
      const schedule = { ...plan, warmupStart: "2026-11-24", warmupSchedule: steps(1_000_000)(text) };
      const caps = Array.from({ length: 120 }, (_, sent) => warmUpDay(schedule, "2027-06-01", sent)?.cap ?? Infinity);
      expect(caps.every((cap, day) => day === 0 || cap >= caps[day - 1]!)).toBe(true);
      expect(caps.at(-1)).toBe(Infinity);
    }),
  );
});

test("the default doubles from 200 for 14 days", () => {
  const { warmupSchedule } = { warmupSchedule: parseSettings({}).values!.WARMUP_SCHEDULE };
  expect(warmupSchedule).toHaveLength(14);
  expect(warmupSchedule[0]).toBe(200);
  expect(warmupSchedule.every((cap, day) => day === 0 || cap === 2 * warmupSchedule[day - 1]!)).toBe(true);
});

test.each(["400,200", "0", "", "1,2,x", "-5", "1e3", "2000000", Array(101).fill("5").join(",")])(
  "the schedule %j is refused",
  (text) => {
    expect(() => steps(1_000_000)(text)).toThrow(expect.objectContaining({ code: "steps_invalid" }));
  },
);
