import { expect, test } from "vitest";
import { createGoneWatch, tooManyGone } from "../../../src/deliveries/gone.ts";

test.each<[string, number, number, boolean]>([
  ["a small list with dead addresses", 9, 9, false],
  ["ten of which none was taken", 10, 10, true],
  ["ten, and one was taken", 10, 11, false],
  ["half of a list of forty", 20, 40, true],
  ["a quarter is the limit", 25, 100, false],
  ["an old list that was imported", 2_000, 10_000, false],
  ["a broken route among good ones", 26, 100, true],
])("%s: %i of %i", (_what, gone, answered, stops) => {
  expect(tooManyGone({ gone, answered })).toBe(stops);
});

test("it looks at each of the first, and ever more rarely at a large edition with many", () => {
  const looks: number[] = [];
  const note = createGoneWatch((editionId) => void looks.push(editionId));
  for (let i = 0; i < 10; i++) note(7, 1);
  expect(looks).toHaveLength(10);
  for (let i = 10; i < 5_000; i++) note(7, 1);
  expect(looks.length).toBeLessThan(90);
  note(8, 3);
  expect(looks.at(-1)).toBe(8);
});
