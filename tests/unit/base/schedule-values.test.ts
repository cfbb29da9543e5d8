import { describe, expect, it } from "vitest";
import { Refusal } from "../../../src/base/errors.ts";
import { parseDate, parseDates, parseSendAt, parseSendDays, parseTimezone } from "../../../src/base/schedule-values.ts";

const cases: [name: string, parse: (raw: string) => unknown, good: [string, unknown][], bad: string[]][] = [
  [
    "parseTimezone",
    parseTimezone,
    [
      ["Europe/Berlin", "Europe/Berlin"],
      [" america/argentina/buenos_aires ", "America/Argentina/Buenos_Aires"],
      ["utc", "UTC"],
      ["Asia/Kolkata", "Asia/Kolkata"],
      ["Etc/GMT+3", "Etc/GMT+3"],
    ],
    ["", "Berlin", "+02:00", "Europe/Berlin[u-ca=iso8601]", "Europe/../Berlin", "2020-01-01T00:00Z"],
  ],
  [
    "parseSendAt",
    parseSendAt,
    [
      ["07:00", "07:00"],
      [" 7:05 ", "07:05"],
      ["00:00", "00:00"],
      ["23:59", "23:59"],
    ],
    ["", "24:00", "7", "07:60", "7:5", "07:00:00", "7am", "-1:00", "٠٧:٠٠"],
  ],
  [
    "parseSendDays",
    parseSendDays,
    [
      ["mon-sun", [1, 2, 3, 4, 5, 6, 7]],
      ["Mon - Fri", [1, 2, 3, 4, 5]],
      ["sat-mon", [1, 6, 7]],
      ["fri, mon,mon", [1, 5]],
      ["mon-tue,sun", [1, 2, 7]],
      ["wed-wed", [3]],
    ],
    ["", ",", "mon,", "monday", "mon-", "mon-tue-wed", "1-5"],
  ],
  [
    "parseDates",
    parseDates,
    [
      ["2026-12-25", ["2026-12-25"]],
      ["2026-12-31..2027-01-02", ["2026-12-31", "2027-01-01", "2027-01-02"]],
      ["2026-12-24..2026-12-24", ["2026-12-24"]],
      [" 2027-01-01,2026-12-24 .. 2026-12-25;\n2026-12-31 ", ["2027-01-01", "2026-12-24", "2026-12-25", "2026-12-31"]],
    ],
    [""],
  ],
  [
    "parseDate",
    parseDate,
    [
      ["2026-11-24", "2026-11-24"],
      [" 2028-02-29 ", "2028-02-29"],
    ],
    ["", "2026-02-29", "2026-13-01", "24.11.2026", "2026-1-1", "+002026-11-24", "2026-11-24T07:00"],
  ],
];

describe.each(cases)("%s", (_name, parse, good, bad) => {
  it.each(good)("reads %j", (raw, value) => expect(parse(raw)).toEqual(value));

  it.each(bad)("refuses %j in one sentence that shows it", (raw) => {
    try {
      expect.unreachable(`read as ${JSON.stringify(parse(raw))}`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      expect(error.status).toBe(422);
      expect(error.message).toContain(JSON.stringify(raw).slice(1, -1));
    }
  });
});

it.each([
  ["2026-12-24..2026-12-20", "date_range_invalid", "2026-12-24..2026-12-20"],
  ["2026-01-01..2027-01-02", "date_range_invalid", "2026-01-01..2027-01-02"],
  ["2026-12-24..2026-12-25..2026-12-26", "date_range_invalid", "2026-12-24..2026-12-25..2026-12-26"],
  ["2026-12-24..", "date_invalid", ""],
  ["2026-12-24, x", "date_invalid", "x"],
  ["2026-02-28..2026-02-30", "date_invalid", "2026-02-30"],
])("refuses the dates %j", (raw, code, value) => {
  expect(() => parseDates(raw)).toThrow(expect.objectContaining({ code, details: { value } }));
});

it("takes no cron pattern for a time, a day or a zone", () => {
  for (const parse of [parseSendAt, parseSendDays, parseTimezone]) {
    expect(() => parse("0 7 * * *")).toThrow("0 7 * * *");
  }
});

it("cuts a long value in the sentence", () => {
  expect(() => parseDate("x".repeat(1000))).toThrow(
    expect.objectContaining({ code: "date_invalid", details: { value: `${"x".repeat(60)}…` } }),
  );
});
