import { expect, test } from "vitest";
import { zoneExample } from "../../../../src/web/pages/timezone.ts";

const schedule = { timezone: "Europe/Berlin", sendAt: "07:00", sendDays: [1, 2, 3, 4, 5], skipped: new Set<string>() };

test.each([
  ["Asia/Seoul", { code: "day_before", hours: 16, soon: "Tuesday 15:00", own: "Wednesday 07:00", edition: "Tuesday" }],
  ["Asia/Calcutta", { code: "day_before", hours: 19.5, soon: "Tuesday 11:30", own: "Wednesday 07:00" }],
  ["America/New_York", { code: "same_day", hours: 6, soon: "Tuesday 01:00", own: "Tuesday 07:00" }],
  ["America/Los_Angeles", { code: "same_day", hours: 9, soon: "Monday 22:00", own: "Tuesday 07:00" }],
  ["Africa/Lagos", { code: "at_once" }],
])("at their own time, a reader in %s gets an edition later by so much", (zone, expected) => {
  expect(zoneExample(schedule, new Date("2026-11-23T12:00:00Z"), zone, "en")).toMatchObject(expected);
});

test("without a send date there is no example", () => {
  expect(zoneExample({ ...schedule, sendDays: [] }, new Date("2026-11-23T12:00:00Z"), "Asia/Seoul", "en")).toBeNull();
});
