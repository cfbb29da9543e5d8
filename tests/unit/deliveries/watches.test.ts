import { expect, test } from "vitest";
import { createGoneWatch, tooManyGone } from "../../../src/deliveries/watches.ts";

test.each<[string, number, number, number, boolean]>([
  ["the first nine of a larger list", 9, 9, 10, false],
  ["ten of which none was taken", 10, 10, 5_000, true],
  ["ten, and one was taken", 10, 11, 5_000, false],
  ["half of a list of forty", 20, 40, 40, true],
  ["a quarter is the limit", 25, 100, 100, false],
  ["an old list that was imported", 2_000, 10_000, 10_000, false],
  ["a broken route among good ones", 26, 100, 100, true],
  ["the whole of a small list", 9, 9, 9, true],
  ["a small list, and one was taken", 8, 9, 9, false],
  ["a small list of which one has not answered", 8, 8, 9, false],
  ["the smallest list that can tell", 2, 2, 2, true],
  ["one who mistyped their address", 1, 1, 1, false],
  ["an edition for nobody", 0, 0, 0, false],
])("%s: %i of %i, of %i mails", (_what, gone, answered, mails, stops) => {
  expect(tooManyGone({ gone, answered, mails })).toBe(stops);
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
