import { expect, test } from "vitest";
import { diagnosticOf } from "../../../src/mail/diagnostic.ts";

test.each<[string | null, string | null, string | null]>([
  ["550 5.1.1", "550 5.1.1 User unknown", "550 5.1.1 User unknown"],
  ["550 5.1.1", "550-5.1.1 User unknown", "550-5.1.1 User unknown"],
  ["550 5.1.1", "5.1.1 User unknown", "550 5.1.1 User unknown"],
  ["5.1.1", "550 5.1.1 User unknown", "550 5.1.1 User unknown"],
  ["550", "User unknown", "550 User unknown"],
  ["5.2.2", "5.2.21 is another code", "5.2.2 5.2.21 is another code"],
  ["550 5.1.1", null, "550 5.1.1"],
  [null, "User unknown", "User unknown"],
  [null, null, null],
])("%s and %s are shown as %s", (code, text, shown) => {
  expect(diagnosticOf({ code, text })).toBe(shown);
});
