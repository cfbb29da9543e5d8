import { generateSync } from "otplib";
import { expect, test } from "vitest";
import { matchCode, totpKey, totpSetup } from "../../../src/operators/codes.ts";

const key = Buffer.from("12345678901234567890");

// RFC 6238, appendix B, for SHA-1: the last six of its eight digits.
test.each([
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_111_111_111, "050471"],
  [1_234_567_890, "005924"],
  [2_000_000_000, "279037"],
  [20_000_000_000, "353130"],
])("the code at %d s after 1970 is %s", async (seconds, code) => {
  const step = Math.floor(seconds / 30);
  expect(await matchCode(key, code, new Date(seconds * 1_000), null)).toEqual({ kind: "code", step });
});

test("a code is good one step early and one late, and once; a used one is told from a wrong one", async () => {
  const at = new Date("2026-11-24T07:00:10Z");
  const now = Math.floor(at.getTime() / 30_000);
  const codeOf = (step: number): string => generateSync({ secret: key, epoch: step * 30 });
  for (const step of [now - 1, now, now + 1])
    expect(await matchCode(key, codeOf(step), at, null)).toEqual({ kind: "code", step });
  for (const step of [now - 2, now + 2])
    expect(await matchCode(key, codeOf(step), at, null)).toEqual({ kind: "wrong" });
  const code = codeOf(now);
  expect(await matchCode(key, `${code.slice(0, 3)} ${code.slice(3)}`, at, now - 1)).toMatchObject({ kind: "code" });
  expect(await matchCode(key, code, at, now)).toEqual({ kind: "used" });
  expect(await matchCode(key, codeOf(now - 1), at, now)).toEqual({ kind: "used" });
  for (const typed of ["", "0", code.slice(1), `${code}0`, "abcdef"])
    expect(await matchCode(key, typed, at, null)).toEqual({ kind: "wrong" });
});

test("each operator and each salt has a key of its own, which an app takes by link or by hand", async () => {
  const salt = Buffer.alloc(32, 1);
  const made = totpKey("secret", 1, salt);
  expect(made).toHaveLength(20);
  for (const other of [totpKey("secret", 2, salt), totpKey("secret", 1, Buffer.alloc(32)), totpKey("s", 1, salt)]) {
    expect(other).not.toEqual(made);
  }
  const setup = await totpSetup(made, { publication: "LG U+ & News", operator: "Ada L" });
  const uri = new URL(setup.uri);
  expect(decodeURIComponent(uri.pathname)).toContain("LG U+ & News:Ada L");
  expect(uri.searchParams.get("issuer")).toBe("LG U+ & News");
  expect(uri.searchParams.get("secret")).toBe(setup.key.replaceAll(" ", ""));
});
