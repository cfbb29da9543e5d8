import fc from "fast-check";
import cells from "string-width";
import { describe, expect, test } from "vitest";
import { facts, table } from "../../../src/cli/table.ts";

const titles = [{ title: "Id", right: true }, { title: "Tag" }, { title: "Headline" }];

describe("table", () => {
  test("aligns numbers to the right and East Asian text by its cells", () => {
    const rows = [
      ["1", "lg u+", "A"],
      ["12", "한국", "B"],
    ];
    expect(table(titles, rows, null)).toBe(["Id  Tag    Headline", " 1  lg u+  A", "12  한국   B"].join("\n"));
  });

  test("keeps what could steer a terminal out", () => {
    const text = table(titles, [["1", "\u001b[31mred", "two\nlines \u202eback"]], null);
    expect(text.split("\n")).toHaveLength(2);
    for (const steering of ["\u001b", "\u202e"]) expect(text).not.toContain(steering);
  });

  test("the widest columns give way in a narrow terminal", () => {
    const row = ["1", "huawei", "Huawei opens a laboratory for 6G"];
    expect(table(titles, [row], 27)).toBe(["Id  Tag     Headline", " 1  huawei  Huawei opens a…"].join("\n"));
  });

  test("is never wider than the terminal", () => {
    const row = fc.tuple(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "grapheme" }),
    );
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 5, max: 120 }), (rows, width) => {
        for (const line of table(titles, rows, width).split("\n")) expect(cells(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});

test("facts leave out what is not known", () => {
  expect(
    facts([
      ["State", "paused"],
      ["Why", null],
      ["Readers", "3"],
    ]),
  ).toBe("State    paused\nReaders  3");
});
