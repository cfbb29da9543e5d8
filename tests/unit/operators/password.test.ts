import { expect, test } from "vitest";
import { nameKey, parseName } from "../../../src/operators/names.ts";
import { checkPassword, hashPassword, passwordFault } from "../../../src/operators/password.ts";
import { allows, demandRole, roles } from "../../../src/operators/roles.ts";

test.each([
  ["short", /too short/],
  ["elevenchars", /too short/],
  ["x".repeat(257), /too long/],
  ["aaaaaaaaaaaaaaaa", /repeats/],
  ["abababababab", /repeats/],
  ["password1234", /first that anybody would try/],
  ["Password!2026", /first that anybody would try/],
  ["qwertyuiop12", /first that anybody would try/],
  ["abcdefghijklm", /first that anybody would try/],
  ["telecomsdaily", /first that anybody would try/],
  ["Ada Lovelace 26", /first that anybody would try/],
])("%j is refused", (password, sentence) => {
  expect(passwordFault(password, ["Ada Lovelace", "telecoms", "daily"])).toMatch(sentence);
});

test.each(["kettle marble orbit tulip", "korrekt pferd batterie", "한국어로 만든 아주 긴 비밀번호", "Xk3!pQz9#vLm"])(
  "%j is good",
  (password) => expect(passwordFault(password, ["Ada", "Telecoms Daily"])).toBeNull(),
);

test("a hash fits its own password alone, however its letters are composed, and never the missing one", async () => {
  const hash = await hashPassword("caf\u00e9 kettle marble");
  expect(hash).not.toContain("kettle");
  expect(await hashPassword("caf\u00e9 kettle marble")).not.toBe(hash);
  expect(await checkPassword("cafe\u0301 kettle marble", hash)).toBe(true);
  expect(await checkPassword("cafe kettle marble", hash)).toBe(false);
  expect(await checkPassword("", null)).toBe(false);
});

test("each role may do what those below it may", () => {
  const table = roles.map((role) => roles.map((needed) => allows(role, needed)));
  expect(table).toEqual([
    [true, false, false],
    [true, true, false],
    [true, true, true],
  ]);
  expect(() => demandRole({ name: "Ada", role: "viewer" }, "owner")).toThrow(
    /takes the role owner.*Ada has the role viewer/,
  );
});

test("names that look alike are one; what is no name is refused", () => {
  expect(nameKey(" ADA  Lovelace ")).toBe(nameKey("ada lovelace"));
  expect(nameKey("Ａda")).toBe("ada");
  expect(parseName("  Ada \n Lovelace ")).toBe("Ada Lovelace");
  for (const raw of ["", "  ", "x".repeat(61), "a\u0000b", "<b>", "Ada\u202e"])
    expect(() => parseName(raw)).toThrow(/is not a name/);
});
