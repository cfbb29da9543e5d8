import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatDate, isoMinute } from "../../../src/base/dates.ts";
import { packageRoot } from "../../../src/package-root.ts";

const at = new Date("2026-11-26T07:00:00Z");

test.each([
  ["en", "26 November 2026"],
  ["en-GB", "26 November 2026"],
  ["en-US", "November 26, 2026"],
  ["de", "26. November 2026"],
  ["ko", "2026년 11월 26일"],
])("dates in %s have the form of the spelling", (language, date) => {
  expect(formatDate(at, language, { dateStyle: "long", timeZone: "UTC" })).toBe(date);
});

test("a time for lists of the command line is the same in all languages", () => {
  expect(isoMinute(at, "Asia/Seoul")).toBe("2026-11-26 16:00 Asia/Seoul");
});

test("no other file gives a locale to a date format, but for the one that reads dates in other languages", () => {
  const folder = join(packageRoot, "src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const formatting = files.filter((file) =>
    /new Intl\.DateTimeFormat\(|\.toLocale(?:Date|Time)String\(/.test(readFileSync(join(folder, file), "utf8")),
  );
  expect(formatting.toSorted()).toEqual([join("base", "dates.ts"), join("sources", "feed-date.ts")]);
});
