import { expect, test } from "vitest";
import { retryDelayMs } from "../../../src/mail/backoff.ts";

test("twice in the first hour, then longer and longer up to three hours (RFC 1123 §5.3.1.1, RFC 5321 §4.5.4.1)", () => {
  const minutes = Array.from({ length: 9 }, (_, i) => retryDelayMs(i + 1) / 60_000);
  expect(minutes).toEqual([30, 30, 60, 90, 120, 150, 180, 180, 180]);
  expect(retryDelayMs(0)).toBe(retryDelayMs(1));
});
