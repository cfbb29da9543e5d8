import { beforeEach, expect, test } from "vitest";
import type { Counters } from "../../../src/abuse/caps.ts";
import { signInCaps } from "../../../src/abuse/limits.ts";
import { networkOf, siteOf } from "../../../src/abuse/network.ts";
import { createSignInCaps, type SignInCaps } from "../../../src/abuse/sign-in.ts";
import { knownDevice, rememberDevice } from "../../../src/operators/sessions.ts";

let seconds = 0;
let signIns: SignInCaps;
beforeEach(() => {
  seconds = 0;
  signIns = createSignInCaps(countersInMemory(), "a-secret-of-enough-length");
});

/** Counters whose time is `seconds`. */
function countersInMemory(): Counters {
  return {
    counter(_name, cap) {
      const counts = new Map<string, { used: number; until: number }>();
      const at = (key: string) => {
        const found = counts.get(key);
        return found && found.until > seconds ? found : { used: 0, until: seconds + cap.seconds };
      };
      return {
        look: async (key) => ({ used: at(key).used, seconds: at(key).until - seconds }),
        async add(key) {
          const { used, until } = at(key);
          counts.set(key, { used: used + 1, until });
          return { used: used + 1, seconds: until - seconds };
        },
      };
    },
    close: () => undefined,
  };
}

const from = (address: string, device: string | null = null) => ({
  network: networkOf(address),
  site: siteOf(address),
  device,
});

/** A wrong try. @returns whether it was looked at */
async function guess(address: string, account = "ada"): Promise<boolean> {
  if ((await signIns.admit(from(address), account)) !== null) return false;
  await signIns.failed(from(address), account);
  return true;
}

test("after 60 and more wrong tries from many networks, the right password is looked at from anywhere", async () => {
  for (let n = 0; n < 80; n++) await guess(`198.51.${n}.1`);
  expect(await signIns.admit(from("198.51.1.1", "a browser"), "ada")).toBeNull();
  expect(await signIns.admit(from("203.0.113.1"), "ada")).toBeNull();
  for (let n = 0; n < 1_000; n++) await guess(`100.${n >> 8}.${n & 255}.1`);
  expect(await signIns.admit(from("198.51.1.1", "a browser"), "ada")).toBeNull();
  expect(await signIns.admit(from("192.0.2.1"), "ada")).toBeNull();
  // From a network that has just had its try, within a quarter of an hour.
  expect(await signIns.admit(from("192.0.2.1"), "ada")).toBeLessThanOrEqual(900);
  seconds += 900;
  expect(await signIns.admit(from("192.0.2.1"), "ada")).toBeNull();
});

test("N networks that never rest have at most 200 + 4 N wrong tries of an account in an hour", async () => {
  for (const networks of [1, 50, 300]) {
    signIns = createSignInCaps(countersInMemory(), "a-secret-of-enough-length");
    const start = seconds;
    let looked = 0;
    for (; seconds < start + 3_600; seconds += 60)
      for (let n = 0; n < networks; n++) if (await guess(`100.${n >> 8}.${n & 255}.1`)) looked += 1;
    expect(looked, `${networks} networks`).toBeLessThanOrEqual(200 + 4 * networks);
  }
});

test("an IPv6 site counts as one network once an account is tried often", async () => {
  for (let n = 0; n < signInCaps.busy.points; n++) await guess(`198.51.${n}.1`);
  let looked = 0;
  for (let n = 0; n < 200; n++) if (await guess(`2001:db8:ffff:${n.toString(16)}00::1`)) looked += 1;
  expect(looked).toBe(signInCaps.pairBusy.points);
});

test("a known browser and a session have a small share of their own", async () => {
  const looked = { device: 0, session: 0 };
  for (let n = 0; n < 50; n++) {
    if ((await signIns.admit(from(`198.51.${n}.1`, "a browser"), "ada")) === null) looked.device += 1;
    if ((await signIns.admitSession(7)) === null) looked.session += 1;
  }
  expect(looked).toEqual({ device: signInCaps.device.points, session: signInCaps.device.points });
});

test("a browser is known for a year to the accounts that signed in with it, and nobody can make it up", () => {
  const at = new Date("2026-11-24T07:00:00Z");
  const after = (days: number): Date => new Date(at.getTime() + days * 24 * 3_600_000);
  const ada = rememberDevice("secret", null, "ada", at);
  expect(ada).toMatch(/^[\w.~-]{20,400}$/);
  expect(knownDevice("secret", ada, "ada", after(364))).not.toBeNull();
  expect(knownDevice("secret", ada, "ada", after(365))).toBeNull();
  expect(knownDevice("secret", ada, "bo", at)).toBeNull();
  expect(knownDevice("other", ada, "ada", at)).toBeNull();
  const both = rememberDevice("secret", ada, "bo", after(1));
  expect(knownDevice("secret", both, "ada", after(1))).toBe(knownDevice("secret", ada, "ada", after(1)));
  expect(knownDevice("secret", both, "bo", after(1))).not.toBe(knownDevice("secret", both, "ada", after(1)));
  let many = both;
  for (let n = 0; n < 9; n++) many = rememberDevice("secret", many, `operator ${n}`, at);
  expect(many.length).toBeLessThanOrEqual(400);
  for (const forged of ["", "~", "a.b.c", `${"A".repeat(22)}.abc.${"A".repeat(43)}`, `${ada}x`, "~".repeat(9_000)])
    expect(knownDevice("secret", forged, "ada", at)).toBeNull();
});
