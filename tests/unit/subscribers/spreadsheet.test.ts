import fc from "fast-check";
import { expect, test } from "vitest";
import { guardCell, unguardCell } from "../../../src/subscribers/spreadsheet.ts";

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
