import { expect, test } from "vitest";
import { nameKey, parseName } from "../../../src/operators/names.ts";
import { checkPassword, hashPassword, passwordFault } from "../../../src/operators/password.ts";
import { allows, demandRole, roles } from "../../../src/operators/roles.ts";

const known = ["Ada Lovelace", "Telecoms Daily", "alerts@example.com"];
const faultOf = (password: string): Promise<string | null> => passwordFault(password, known);

test.each([
  ["short", "password_too_short"],
  ["elevenchars", "password_too_short"],
  ["x".repeat(257), "password_too_long"],
  ["aaaaaaaaaaaaaaaa", "password_repetitive"],
  ["abababababab", "password_repetitive"],
  ["abcdefghijklm", "password_repetitive"],
])("%j is refused for its length or repetition", async (password, code) => {
  expect(await faultOf(password)).toBe(code);
});

test.each([
  ["with a number", ["password1234", "passw0rd123456", "letmein83920174", "2026sunshine!!", "administrator1"]],
  ["in another case", ["PASSWORD!2026", "SunShine20261", "Passwort1234!"]],
  ["with look-alike characters", ["P@$$w0rd!2026", "1L0v3y0u2025", "!l0vey0u!2025", "7ru57n01!2026"]],
  ["twice", ["trustno1trustno1", "Password password", "dragon-dragon-dragon"]],
  ["reversed", ["drowssap4321", "1202enihsnus", "!!drowssap!!"]],
  ["behind punctuation", ["!!!football!!!", "--- password ---", "*sunshine*****"]],
  ["beside another", ["sunshine-princess", "monkeydragon12", "superman batman", "passwordsecret"]],
  ["on the keyboard", ["qwertyuiop12", "1q2w3e4r5t6y", "1qaz2wsx3edc", "0987654321qwerty"]],
  ["of the season", ["Summer2026!!", "Sommer2026!!!", "Spring2026!!!"]],
  ["of the operator", ["Ada Lovelace 26", "ecalevoLadA26", "L0velace2026!"]],
  ["of the publication", ["telecomsdaily", "T3lecoms-D@ily-1", "Dayletter2026!", "alerts@example.com1"]],
])("a common password %s is refused", async (_how, passwords) => {
  const good: string[] = [];
  for (const password of passwords) if ((await faultOf(password)) === null) good.push(password);
  expect(good).toEqual([]);
});

test.each([
  "kettle marble orbit tulip",
  "lantern violin gravel moss",
  "correct horse battery staple",
  "korrekt pferd batterie heftklammer",
  "\ud55c\uad6d\uc5b4\ub85c \ub9cc\ub4e0 \uc544\uc8fc \uae34 \ube44\ubc00\ubc88\ud638",
  "Xk3!pQz9#vLm",
  "839201746529 47",
  "daily kettle tulip gravel",
])("%j is good", async (password) => expect(await faultOf(password)).toBeNull());

test("a password of the greatest length is judged within 100 ms", async () => {
  await faultOf("the list is loaded");
  for (const unit of ["password", "@0$1!|", "1", "qwertyuiop", "a1", "kettle "]) {
    // Of the processor, for the machine may be busy.
    const start = process.cpuUsage();
    await faultOf(`x${unit.repeat(256)}`.slice(0, 256));
    expect(process.cpuUsage(start).user / 1_000, unit).toBeLessThan(100);
  }
});

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
    expect.objectContaining({ code: "role_required", details: { name: "Ada", role: "viewer", needed: "owner" } }),
  );
});

test("names that look alike are one; what is no name is refused", () => {
  expect(nameKey(" ADA  Lovelace ")).toBe(nameKey("ada lovelace"));
  expect(nameKey("Ａda")).toBe("ada");
  expect(parseName("  Ada \n Lovelace ")).toBe("Ada Lovelace");
  for (const raw of ["", "  ", "x".repeat(61), "a\u0000b", "<b>", "Ada\u202e"])
    expect(() => parseName(raw)).toThrow(expect.objectContaining({ code: "name_invalid" }));
});
