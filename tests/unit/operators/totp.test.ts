import { expect, test } from "vitest";
import { base32, codeOf, matchCode, stepOf, totpKey, totpSetup } from "../../../src/operators/totp.ts";

const key = Buffer.from("12345678901234567890");

// RFC 6238, appendix B, for SHA-1 with 8 digits.
test.each([
  [59, "94287082"],
  [1_111_111_109, "07081804"],
  [1_111_111_111, "14050471"],
  [1_234_567_890, "89005924"],
  [2_000_000_000, "69279037"],
  [20_000_000_000, "65353130"],
])("the code at %d s after 1970 is %s", (seconds, code) => {
  const step = stepOf(new Date(seconds * 1_000));
  expect(codeOf(key, step, 8)).toBe(code);
  expect(codeOf(key, step)).toBe(code.slice(2));
});

// RFC 4226, appendix D.
test("the first ten codes of a counter", () => {
  const codes = Array.from({ length: 10 }, (_, count) => codeOf(key, count));
  expect(codes).toEqual([
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
  ]);
});

test("a code is good one step early and one late, and once", () => {
  const at = new Date("2026-11-24T07:00:10Z");
  const now = stepOf(at);
  for (const step of [now - 1, now, now + 1]) expect(matchCode(key, codeOf(key, step), at, null)).toBe(step);
  for (const step of [now - 2, now + 2]) expect(matchCode(key, codeOf(key, step), at, null)).toBeNull();
  const code = codeOf(key, now);
  expect(matchCode(key, `${code.slice(0, 3)} ${code.slice(3)}`, at, now - 1)).toBe(now);
  expect(matchCode(key, code, at, now)).toBeNull();
  for (const typed of ["", "0", code.slice(1), `${code}0`]) expect(matchCode(key, typed, at, null)).toBeNull();
});

// RFC 4648, 10, without padding.
test.each([
  ["", ""],
  ["f", "MY"],
  ["fo", "MZXQ"],
  ["foo", "MZXW6"],
  ["foob", "MZXW6YQ"],
  ["fooba", "MZXW6YTB"],
  ["foobar", "MZXW6YTBOI"],
])("%j in base 32 is %j", (text, wanted) => expect(base32(Buffer.from(text))).toBe(wanted));

test("each operator and each salt has a key of its own, which a program takes by link or by hand", () => {
  const salt = Buffer.alloc(32, 1);
  const made = totpKey("secret", 1, salt);
  expect(made).toHaveLength(20);
  for (const other of [totpKey("secret", 2, salt), totpKey("secret", 1, Buffer.alloc(32)), totpKey("s", 1, salt)]) {
    expect(other).not.toEqual(made);
  }
  const setup = totpSetup(made, { publication: "LG U+ & News", operator: "Ada L" });
  const uri = new URL(setup.uri);
  expect(decodeURIComponent(uri.pathname)).toContain("LG U+ & News:Ada L");
  expect(uri.searchParams.get("issuer")).toBe("LG U+ & News");
  expect(uri.searchParams.get("secret")).toBe(setup.key.replaceAll(" ", ""));
});
