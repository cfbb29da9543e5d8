import { expect, test } from "vitest";
import fc from "fast-check";
import { ownHour } from "../../../src/schedule/calendar.ts";

const hour = 3_600_000;

test.each([
  ["the publication's own zone: with the others", "2026-11-24T07:00:00Z", "UTC", "07:00", "2026-11-24T07:00:00Z"],
  ["another zone with the same clock", "2026-11-24T07:00:00Z", "Europe/London", "07:00", "2026-11-24T07:00:00Z"],
  ["east: the next morning there", "2026-11-24T07:00:00Z", "Asia/Seoul", "07:00", "2026-11-24T22:00:00Z"],
  ["west: later this day", "2026-11-24T07:00:00Z", "America/New_York", "07:00", "2026-11-24T12:00:00Z"],
  [
    "an hour that is skipped there: the first instant after",
    "2027-03-28T00:30:00Z",
    "Europe/Berlin",
    "02:30",
    "2027-03-28T01:00:00Z",
  ],
  [
    "an hour that comes twice there: the first time",
    "2026-10-24T20:00:00Z",
    "Europe/Berlin",
    "02:30",
    "2026-10-25T00:30:00Z",
  ],
])("%s", (_what, due, zone, sendAt, expected) => {
  expect(ownHour(new Date(due), zone, sendAt)).toEqual(new Date(expected));
});

test("in every zone it is never before the others, and within a day of them but for a clock change", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  const due = fc.date({ min: new Date("2024-01-01"), max: new Date("2030-01-01"), noInvalidDate: true });
  const sendAt = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([h, m]) => `${String(h).padStart(2, "0")}:${String(m).padStart(2, "0")}`);
  fc.assert(
    fc.property(due, fc.constantFrom(...zones), sendAt, (at, zone, local) => {
      const wait = ownHour(at, zone, local).getTime() - at.getTime();
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(26 * hour);
    }),
    { numRuns: 300 },
  );
});
