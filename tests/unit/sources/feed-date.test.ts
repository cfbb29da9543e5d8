import fc from "fast-check";
import { expect, test } from "vitest";
import { readFeedDate } from "../../../src/sources/feed-date.ts";

const read = (text: string, zone = "Asia/Seoul"): string | null => readFeedDate(text, zone)?.at.toISOString() ?? null;

/** 19:48 in Seoul. */
const evening = "2026-01-15T10:48:00.000Z";

test.each([
  "Thu, 15 Jan 2026 10:48:00 GMT",
  "Thu, 15 Jan 2026 19:48:00 +0900",
  "Thu,15 Jan 2026 19:48:00 GMT+0900",
  "Thu, 15 Jan 26 19:48 KST",
  "15 January 2026 19:48 +9",
  "15-Jan-2026 19:48:00 +09:00",
  "2026-01-15T19:48:00+09:00",
  "2026-01-15T19:48:00.123+09:00",
  "2026-01-15T19:48+09",
  "2026-01-15 10:48:00 UTC",
  "2026-01-15T10:48:00Z",
  "20260115T104800Z",
  "20260115T194800+0900",
  "Thu Jan 15 10:48:00 UTC 2026",
  "Thu Jan 15 19:48:00 +0900 2026",
  "Thu Jan 15 2026 19:48:00 GMT+0900 (Korean Standard Time)",
  "2026-01-15T19:48:00+09:00[Asia/Seoul]",
  "2026-01-15 05:48:00 America/New_York",
  "Thu, 15 Jan 2026 19:48:00 Asia/Seoul",
  "1768474080",
  "1768474080000",
])("reads %s in its own zone", (text) => {
  expect(readFeedDate(text, "Pacific/Honolulu")).toEqual({ at: new Date(evening), unknownZone: null });
});

test.each([
  "2026-01-15 19:48:00",
  "2026-01-15T19:48",
  "2026/01/15 19:48",
  "2026/1/15 19:48",
  "2026.01.15 19:48",
  "2026. 1. 15. 오후 7:48",
  "2026-01-15 오후 7:48:00",
  "2026년 1월 15일 오후 7:48",
  "2026년 01월 15일 19시 48분",
  "2026년 1월 15일 (목) 오후 7시 48분",
  "2026年1月15日 19:48",
  "2026年1月15日 下午7:48",
  "2026年1月15日 午後7時48分",
  "２０２６年１月１５日 １９：４８",
  "Thu Jan 15 19:48:00 2026",
  "Jan 15, 2026 7:48 PM",
  "January 15th, 2026 at 7:48 p.m.",
  "Thursday, January 15, 2026 7:48:00 PM",
  "15. Januar 2026 um 19:48 Uhr",
  "15 janvier 2026 à 19h48",
  "15 de enero de 2026, 19:48",
  "15 gennaio 2026 - 19:48",
  "15 de janeiro de 2026 19:48",
  "15 января 2026 г., 19:48",
  "15 stycznia 2026 19:48",
  "15 Ocak 2026 19:48",
  "15 يناير 2026 19:48",
  "15.01.2026 19:48",
  "15/01/2026 19:48",
  "01/15/2026 7:48 PM",
  "19:48 15.01.2026",
  "19:48, 15 January 2026",
  "20260115194800",
  "202601151948",
])("reads %s in the time zone of the source", (text) => {
  expect(readFeedDate(text, "Asia/Seoul")).toEqual({ at: new Date(evening), unknownZone: null });
});

test.each([
  ["2026-01-15", "2026-01-14T15:00:00.000Z"],
  ["2023.01.15", "2023-01-14T15:00:00.000Z"],
  ["20260115", "2026-01-14T15:00:00.000Z"],
  ["15 Jan 2026", "2026-01-14T15:00:00.000Z"],
  ["Thu,15 Jan 2026", "2026-01-14T15:00:00.000Z"],
  ["2026-01", "2025-12-31T15:00:00.000Z"],
  ["2026-01-15Z", "2026-01-15T00:00:00.000Z"],
  ["2026-01-15+09:00", "2026-01-14T15:00:00.000Z"],
  ["12:30 AM Jan 15, 2026", "2026-01-14T15:30:00.000Z"],
  ["Jan 15, 2026 12:30 pm", "2026-01-15T03:30:00.000Z"],
  ["2026-01-15T23:59:60Z", "2026-01-15T23:59:59.000Z"],
])("reads %s as %s", (text, at) => {
  expect(read(text)).toBe(at);
});

test.each([
  "",
  "yesterday",
  "3 days ago",
  "n/a",
  "0000-00-00 00:00:00",
  "1970-01-01T00:00:00Z",
  "0001-01-01T00:00:00",
  "2026-02-30",
  "2026-13-01",
  "2026-01-15T24:48:00Z",
  "2026-01-15 25:00",
  "01/02/2026",
  "5-6-2026",
  "26-01-15",
  "2026-01-15".repeat(20),
])("does not read %s", (text) => {
  expect(readFeedDate(text, "Asia/Seoul")).toBeNull();
});

test("an unknown zone is named, and the date is read in the zone of the source", () => {
  expect(readFeedDate("Thu, 15 Jan 2026 19:48:00 XYZ", "Asia/Seoul")).toEqual({
    at: new Date(evening),
    unknownZone: "XYZ",
  });
  expect(readFeedDate("2026-01-15 19:48 Asia/Nowhere", "Asia/Seoul")?.unknownZone).toBe("asia/nowhere");
});

test("a time that the clocks skip is read an hour later, and one that they repeat as the first", () => {
  expect(read("2026-03-29 02:30:00", "Europe/Berlin")).toBe("2026-03-29T01:30:00.000Z");
  expect(read("2026-10-25 02:30:00", "Europe/Berlin")).toBe("2026-10-25T00:30:00.000Z");
});

test("any text is a date or not, and never an error", () => {
  const pieces = fc.constantFrom(
    "2026",
    "15",
    "1",
    "Jan",
    "오후",
    "년",
    "월",
    ":",
    "/",
    ".",
    "-",
    "+",
    "T",
    "Z",
    " ",
    "٣",
    "á",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((some) => some.join("")),
      ),
      (text) => {
        const date = readFeedDate(text, "Asia/Seoul");
        expect(date === null || !Number.isNaN(date.at.getTime())).toBe(true);
      },
    ),
  );
});

test("what every system writes is read back", () => {
  const dates = fc.date({ min: new Date("1980-01-02"), max: new Date("2199-12-30"), noInvalidDate: true });
  fc.assert(
    fc.property(dates, (date) => {
      const whole = new Date(Math.floor(date.getTime() / 1_000) * 1_000).toISOString();
      for (const text of [date.toISOString(), date.toUTCString(), new Date(whole).toString()])
        expect(read(text)).toBe(whole.replace(/\.\d+Z/, ".000Z"));
    }),
  );
});
