import { expect, test } from "vitest";
import { together } from "../../../src/base/async.ts";

test("those who ask during an answer ask together, and each gets their own", async () => {
  const asked: number[][] = [];
  const half = together(async (keys: number[]) => {
    asked.push(keys);
    await Promise.resolve();
    if (keys.includes(7)) throw new Error("Seven cannot be halved.");
    return keys.map((key) => key / 2);
  });
  expect(await Promise.all([2, 4, 6].map(half))).toEqual([1, 2, 3]);
  expect(asked).toEqual([[2], [4, 6]]);
  const late = await Promise.allSettled([8, 7, 9].map(half));
  expect(late.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(await half(10)).toBe(5);
});
