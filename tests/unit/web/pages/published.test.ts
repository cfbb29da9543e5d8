import { expect, test } from "vitest";
import { isOld } from "../../../../src/web/pages/editions.ts";

test.each([
  ["2025-11-24", "2026-11-24", false],
  ["2025-11-23", "2026-11-24", true],
  ["2024-02-29", "2025-02-28", false],
  ["2024-02-29", "2025-03-01", true],
])("an edition of %s is old on %s: %s", (date, today, old) => {
  expect(isOld(date, today)).toBe(old);
});
