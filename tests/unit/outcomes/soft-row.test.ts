import { expect, test } from "vitest";
import { isGivenUp, isMostlySoft, type Fate } from "../../../src/outcomes/soft-row.ts";

const dayMs = 24 * 3_600_000;
const now = new Date("2026-11-24T12:00:00Z");

/** One email a day, the newest first: s soft, d disabled, h hard, p policy, - not bounced. */
const days = (row: string, newest = 0): Fate[] =>
  [...row].map((one, i) => ({
    at: new Date(now.getTime() - (newest + i) * dayMs),
    bounced: ({ s: "soft", d: "soft", h: "hard", p: "policy", "-": null } as const)[one]!,
    disabled: one === "d",
  }));

test.each<[string, string, number, boolean]>([
  ["eight in a row over seven days", "ssssssss", 0, true],
  ["seven in a row within six days", "sssssss", 0, false],
  ["a row that ended five days ago and was followed by arrivals", "-----ssssssss", 5, false],
  ["an arrival in the middle", "ssss-sssss", 5, false],
  ["an arrival in the middle, however young", "sss-sssss", 0, false],
  ["emails that can still come back are passed over", "---ssssssss", 0, true],
  ["refusals of the sender neither count nor end the row", "sspssspsss", 0, true],
  ["a hard bounce that an operator has undone ends the row", "sssshssss", 0, false],
  ["disabled on two days", "dd------", 0, true],
  ["disabled once", "d-------", 0, false],
  ["disabled after it was full", "ds------", 0, false],
  ["disabled, and refused because of the sender in between", "dpd-----", 0, true],
  ["disabled on two days, but it arrived since", "-----dd", 5, false],
  ["nothing has bounced", "----------", 0, false],
  ["nothing was sent", "", 0, false],
])("%s: %s", (_what, row, newest, long) => {
  expect(isGivenUp(days(row, newest), now)).toBe(long);
});

test("seven editions of one day are not enough", () => {
  const sameDay = Array.from({ length: 9 }, (_, i): Fate => ({
    at: new Date(now.getTime() - i * 3_600_000),
    bounced: "soft",
    disabled: true,
  }));
  expect(isGivenUp(sameDay, now)).toBe(false);
});

test.each<[string, string, boolean]>([
  ["every other day", "s-s-s-s-s-s-s-s-s-s", true],
  ["exactly half", "s-s-s-s-s-s-s-s-s-s-", false],
  ["all", "sssssssssssssss", true],
  ["all of two weeks less a day", "ssssssssssssss", false],
  ["a row that ended five days ago", "------ssssssssssssssssss", false],
  ["the newest can still come back", "----sssssssssssssss", true],
  ["refusals of the sender say nothing", "spspspspspspsps", true],
  ["two a fortnight apart", "spppppppppppppps", false],
  ["nothing was sent", "", false],
])("most emails bounced softly, %s: %s", (_what, row, mostly) => {
  expect(isMostlySoft(days(row), now)).toBe(mostly);
});

test("of an edition a week, three of four tell", () => {
  const weekly = (row: string): Fate[] =>
    days(row).map((one, i) => ({ ...one, at: new Date(now.getTime() - (2 + 7 * i) * dayMs) }));
  expect(isMostlySoft(weekly("-sss"), now)).toBe(true);
  expect(isMostlySoft(weekly("--ss"), now)).toBe(false);
});
