import { expect, test } from "vitest";
import { reasonOf } from "../../../src/base/errors.ts";

test("a reason that quotes what came from outside can be stored: one line without NUL or half characters", () => {
  expect(reasonOf(new Error('Unexpected token \0, "{\ud800"\n is not valid JSON'))).toBe(
    'Unexpected token , "{\ufffd" is not valid JSON',
  );
});
