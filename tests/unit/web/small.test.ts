import fc from "fast-check";
import { expect, test } from "vitest";
import { guardCell, unguardCell } from "../../../src/subscribers/spreadsheet.ts";
import { makeAssets } from "../../../src/web/assets.ts";
import { openWords } from "../../../src/web/language/words.ts";
import { parseEditionName } from "../../../src/web/edition-name.ts";
import { isOld } from "../../../src/web/pages/published.ts";
import { problemOf } from "../../../src/web/problem.ts";

test("no cell begins a formula, and every cell comes back as it was", () => {
  const cell = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom("'", "=", "+", "-", "@", "\t", "\n", "＝", "＠", "a") }),
  );
  fc.assert(
    fc.property(cell, (text) => {
      expect(guardCell(text)).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
      expect(unguardCell(guardCell(text))).toBe(text);
    }),
  );
});

test.each([
  ["2026-11-24", { date: "2026-11-24", number: 1 }],
  ["2026-11-24.1", { date: "2026-11-24", number: 1 }],
  ["2026-11-24.12", { date: "2026-11-24", number: 12 }],
])("%s names an edition", (raw, name) => {
  expect(parseEditionName(raw)).toEqual(name);
});

test.each([
  "",
  "today",
  "2026-02-30",
  "2026-11-24.0",
  "2026-11-24.",
  "2026-11-24.x",
  "2026-11-24.99999",
  " 2026-11-24",
])("%j names none", (raw) => {
  expect(() => parseEditionName(raw)).toThrow(/is not (an edition|a date)/);
});

test.each([
  ["2025-11-24", "2026-11-24", false],
  ["2025-11-23", "2026-11-24", true],
  ["2024-02-29", "2025-02-28", false],
  ["2024-02-29", "2025-03-01", true],
])("an edition of %s is old on %s: %s", (date, today, old) => {
  expect(isOld(date, today)).toBe(old);
});

test("what is not meant for people becomes a 500 that says nothing of it", () => {
  for (const thrown of [new Error("password=1"), { statusCode: 503, message: "secret" }, "text", undefined]) {
    const { status, detail } = problemOf(thrown, undefined);
    expect({ status, detail }).toEqual({
      status: 500,
      detail: "Something went wrong on this server: its log says what.",
    });
  }
});

test("the accent is readable on both papers, and another accent is another file", () => {
  const assetsOf = (accent: string) => makeAssets(accent, openWords("en").translate);
  const style = (accent: string) => assetsOf(accent).files.get(assetsOf(accent).links.style.split("/").pop()!)!.content;
  expect(style("#ffff00")).not.toMatch(/--accent: #ffff00;\n}\n@media/);
  expect(style("#8a1c1c")).not.toContain("var(--accent-on");
  expect(assetsOf("#8a1c1c").links.style).not.toBe(assetsOf("#1c8a1c").links.style);
});
