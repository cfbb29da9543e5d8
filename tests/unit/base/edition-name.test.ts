import { expect, test } from "vitest";
import { editionName, parseEditionName } from "../../../src/base/edition-name.ts";

test.each([
  ["2026-11-24", { date: "2026-11-24", number: 1 }],
  ["2026-11-24.1", { date: "2026-11-24", number: 1 }],
  ["2026-11-24.12", { date: "2026-11-24", number: 12 }],
])("%s names an edition", (raw, name) => {
  expect(parseEditionName(raw)).toEqual(name);
  expect(editionName(name)).toBe(raw.replace(/\.1$/, ""));
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
  expect(() => parseEditionName(raw)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(edition_name|date)_invalid$/) as unknown }),
  );
});
