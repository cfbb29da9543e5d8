import { solveChallenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/pbkdf2";
import { describe, expect, test } from "vitest";
import { formAge, formTime, newChallenge, readProof } from "../../../src/abuse/forms.ts";

const secret = "a-secret-of-enough-length";
const made = new Date("2026-11-24T08:00:00Z");
const after = (seconds: number) => new Date(made.getTime() + seconds * 1_000);

describe("the time in a form", () => {
  const t = formTime(secret, made);
  test.each([
    ["posted at once", t, 0, "early"],
    ["posted after two seconds", t, 2, "early"],
    ["posted after three", t, 3, "fine"],
    ["posted a day later", t, 86_400, "fine"],
    ["posted more than a day later", t, 86_401, "old"],
    ["of another server", formTime("another-secret-of-length", made), 10, "foreign"],
    ["moved by hand", t.replace(/^./, "a"), 10, "foreign"],
    ["missing", undefined, 10, "foreign"],
    ["sent twice", [t, t], 10, "foreign"],
    ["made up", "x.y", 10, "foreign"],
  ])("%s", (_name, value, seconds, age) => {
    expect(formAge(secret, value, after(seconds))).toBe(age);
  });
});

describe("a proof of work", () => {
  const solved = async () => {
    const challenge = await newChallenge(secret, 1, made);
    return { challenge, solution: (await solveChallenge({ challenge, deriveKey }))! };
  };
  const payload = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

  test("counts once solved, for as long as a form may stay open, and tells itself from others", async () => {
    const [one, other] = [await solved(), await solved()];
    const proof = await readProof(secret, payload(one), after(60));
    expect(proof).toMatch(/^[0-9a-f]{32}$/);
    expect(await readProof(secret, payload(one), after(7_200))).toBe(proof);
    expect(await readProof(secret, payload(other), after(60))).not.toBe(proof);
  });

  test("does not count when it is old, forged, made easier, or no proof at all", async () => {
    const { challenge, solution } = await solved();
    const { parameters, signature } = challenge;
    const wrong: [string, unknown, Date?][] = [
      ["old", { challenge, solution }, after(7_201)],
      ["not solved", { challenge, solution: { ...solution, derivedKey: "00".repeat(32) } }],
      ["another counter", { challenge, solution: { ...solution, counter: solution.counter + 1 } }],
      ["easier", { challenge: { parameters: { ...parameters, keyPrefix: "0" }, signature }, solution }],
      ["longer", { challenge: { parameters: { ...parameters, data: { until: 9e9 } }, signature }, solution }],
      ["without end", { challenge: { parameters: { ...parameters, data: {} }, signature }, solution }],
      ["unsigned", { challenge: { parameters }, solution }],
      ["empty", {}],
      ["null", null],
      ["text", "text"],
    ];
    for (const [name, value, now = after(1)] of wrong) {
      expect(await readProof(secret, payload(value), now), name).toBeNull();
    }
    expect(await readProof("another-secret-of-length", payload({ challenge, solution }), after(1))).toBeNull();
    expect(await readProof(secret, "%%%", after(1))).toBeNull();
    expect(await readProof(secret, "a".repeat(1e6), after(1))).toBeNull();
  });
});
