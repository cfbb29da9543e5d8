import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { csvLines, guardCell, unguardCell } from "../../../src/subscribers/spreadsheet.ts";

const nasty = fc.string({ unit: fc.constantFrom("'", "=", "+", "-", "@", "\t", "\n", ";", '"', " ", "＝", "＠", "a") });

test("no cell begins a formula, nor does any part of one, and every cell comes back as it was", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), nasty), (text) => {
      const guarded = guardCell(text);
      expect(guarded).not.toMatch(/^[ "]*[=+\-@\t\r\n＝＋－＠]/);
      expect(guarded).not.toMatch(/[;\t\r\n][ "]*[=+\-@＝＋－＠]/);
      expect(unguardCell(guarded)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

test("whatever separator a spreadsheet splits the lines at, no cell is a formula; as CSV they are what they were", () => {
  fc.assert(
    fc.property(fc.array(nasty, { minLength: 1, maxLength: 4 }), (cells) => {
      const lines = csvLines([cells]);
      expect(parse(lines, { cast: unguardCell })).toEqual([cells]);
      for (const cell of lines.split(/[;\t\r\n]/)) expect(cell).not.toMatch(/^["\s]*[=+\-@＝＋－＠]/);
    }),
    { numRuns: 2_000 },
  );
});

test.each(["'".repeat(200_000), " ".repeat(200_000), ";".repeat(200_000), "\t' ".repeat(70_000)])(
  "a cell of absurd length takes no time",
  (text) => {
    const before = performance.now();
    expect(unguardCell(guardCell(text))).toBe(text);
    expect(performance.now() - before).toBeLessThan(100);
  },
);
