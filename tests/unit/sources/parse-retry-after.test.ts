import { expect, test } from "vitest";
import { parseRetryAfter } from "../../../src/sources/parse-retry-after.ts";

const now = new Date("1994-11-06T08:00:00Z");

// The dates are the three forms of RFC 9110 §5.6.7.
test.each([
  ["120", "1994-11-06T08:02:00.000Z"],
  [" 3600 ", "1994-11-06T09:00:00.000Z"],
  ["Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
  ["Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37.000Z"],
  ["Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37.000Z"],
  ["86401", "1994-11-07T08:00:00.000Z"],
  ["9".repeat(400), "1994-11-07T08:00:00.000Z"],
  ["Fri, 31 Dec 1999 23:59:59 GMT", "1994-11-07T08:00:00.000Z"],
])("%s is %s", (raw, at) => {
  expect(parseRetryAfter(raw, now)?.toISOString()).toBe(at);
});

test.each([undefined, "", "0", "-5", "1.5", "soon", "Sat, 05 Nov 1994 08:49:37 GMT"])("%s says nothing", (raw) => {
  expect(parseRetryAfter(raw, now)).toBeNull();
});
