import { expect, test } from "vitest";
import { currentZone, currentZones } from "../../../src/base/time-zones.ts";
import { englishZones, zoneName } from "../../../src/web/pages/timezone.ts";

test("zones have their present names, each of which this machine knows", () => {
  const zones = currentZones();
  expect(zones).toEqual(expect.arrayContaining(["Asia/Kolkata", "Europe/Kyiv", "Europe/Berlin", "Etc/UTC"]));
  expect(zones.filter((zone) => currentZone(zone) !== zone)).toEqual([]);
  const clock = (timeZone: string) =>
    new Intl.DateTimeFormat("en", { timeZone, dateStyle: "short", timeStyle: "long" });
  for (const old of Intl.supportedValuesOf("timeZone")) {
    expect(clock(currentZone(old)).format(0), old).toBe(clock(old).format(0));
  }
});

test("the list of a form offers present names, and a stored old name is shown by its present one", () => {
  expect(englishZones).toContain('value="Asia/Kolkata"');
  expect(englishZones).not.toMatch(/Calcutta|Kiev/);
  expect([zoneName("Asia/Calcutta"), zoneName("Europe/Kiev"), zoneName("America/New_York")]).toEqual([
    "Kolkata",
    "Kyiv",
    "New York",
  ]);
});
