import { beforeEach, expect, test } from "vitest";
import { createCaps, type Caps, type Counters } from "../../../src/abuse/caps.ts";
import { caps as most } from "../../../src/abuse/limits.ts";

/** Counters of an hour that does not end. */
function countersInMemory(): Counters & { keys: Set<string>; forgetHours(): void } {
  const counts = new Map<string, number>();
  return {
    keys: new Set(),
    forgetHours() {
      for (const name of counts.keys()) if (/Hour:/.test(name)) counts.delete(name);
    },
    counter(name) {
      const look = async (key: string) => ({ used: counts.get(`${name}:${key}`) ?? 0, seconds: 600 });
      return {
        look,
        add: async (key) => {
          this.keys.add(key);
          counts.set(`${name}:${key}`, (counts.get(`${name}:${key}`) ?? 0) + 1);
          return look(key);
        },
      };
    },
    close: () => undefined,
  };
}

let counters: ReturnType<typeof countersInMemory>;
let caps: Caps;
beforeEach(() => {
  counters = countersInMemory();
  caps = createCaps(counters, "a-secret-of-enough-length");
});

const network = (n: number) => `10.${n >> 8}.${n & 255}.0/24`;
/** Fills networks from the first on, each as far as its cap goes. */
async function flood(signups: number, proven: boolean): Promise<void> {
  const each = (proven ? most.provenNetwork : most.plainNetwork).points;
  for (let n = 0; n < signups; n++) await caps.admit(network(Math.floor(n / each)), proven);
}

test("a network has its share, with and without proof, and then waits", async () => {
  for (const [proven, cap] of [
    [false, most.plainNetwork.points],
    [true, most.provenNetwork.points],
  ] as const) {
    for (let n = 0; n < cap; n++) expect(await caps.admit(network(1), proven)).toBeNull();
    expect(await caps.admit(network(1), proven)).toEqual({ reason: "network", seconds: 600 });
    expect(await caps.admit(network(2), proven)).toBeNull();
  }
});

test("a form asks for a proof once half of its network's share, or of the whole, is used", async () => {
  for (let n = 1; n < most.plainNetwork.points / 2; n++) await caps.admit(network(1), false);
  expect(await caps.busy(network(1))).toBe(false);
  await caps.admit(network(1), false);
  expect(await caps.busy(network(1))).toBe(true);
  expect(await caps.busy(network(9_000))).toBe(false);
  await flood(most.plainSite.points / 2, false);
  expect(await caps.busy(network(9_000))).toBe(true);
});

test("a flood from a few networks shuts out nobody else; one from many only those without proof", async () => {
  await flood(most.plainSite.points / 2, false);
  const used = most.plainSite.points / 2 / most.plainNetwork.points;
  expect(await caps.admit(network(0), false)).toMatchObject({ reason: "network" });
  expect(await caps.admit(network(used), false)).toBeNull();
  expect(await caps.admit(network(used), false)).toMatchObject({ reason: "network" });
  for (let n = 0; n < most.plainSite.points; n++) await caps.admit(network(1_000 + n), false);
  expect(await caps.admit(network(9_000), false)).toEqual({ reason: "site", seconds: 600 });
  expect(await caps.admit(network(9_000), true)).toBeNull();
});

test("when all is used, no network leaves a trace in the store", async () => {
  for (let n = 0; n < most.plainSite.points; n++) await caps.admit(network(1_000 + n), false);
  const before = counters.keys.size;
  for (let n = 0; n < 100; n++) await caps.admit(network(20_000 + n), false);
  expect(counters.keys.size).toBe(before);
});

test("solved challenges have an end too, and cost more from half of it on", async () => {
  expect(await caps.strained()).toBe(false);
  await flood(most.provenSite.points / 2, true);
  expect(await caps.strained()).toBe(true);
  await flood(2 * most.provenSite.points, true);
  expect(await caps.admit(network(9_000), true)).toMatchObject({ reason: "site" });
});

test("an address gets one confirmation an hour, whatever crashes in between, and a proof counts once", async () => {
  expect(await caps.mayMail("ada@example.com")).toBe(true);
  expect(await caps.mayMail("ada@example.com")).toBe(false);
  expect(await caps.mayMail("bob@example.com", "signup-1")).toBe(true);
  expect(await caps.mayMail("bob@example.com", "signup-1")).toBe(true);
  expect(await caps.mayMail("bob@example.com", "signup-2")).toBe(false);
  expect(await caps.spend("proof")).toBe(true);
  expect(await caps.spend("proof")).toBe(false);
});

test("who has had a sample copy sent can sign up at once; all mails together are three a day", async () => {
  const { addressDay } = most;
  expect(await caps.mayMail("ada@example.com", "notice-1", "sample")).toBe(true);
  expect(await caps.mayMail("ada@example.com", "notice-2", "sample")).toBe(false);
  expect(await caps.mayMail("ada@example.com", "signup-1")).toBe(true);
  expect(await caps.mayMail("ada@example.com", "signup-2")).toBe(false);
  counters.forgetHours();
  expect(await caps.mayMail("ada@example.com", "notice-3", "sample")).toBe(addressDay.points >= 3);
  expect(await caps.mayMail("ada@example.com", "signup-3")).toBe(addressDay.points > 3);
});

test.each([
  ["ada@example.com", "ada+1@example.com", false],
  ["ada+1@example.com", "ada+2+3@example.com", false],
  ["ada@gmail.com", "a.d.a+x@gmail.com", false],
  ["ada@example.com", "a.da@example.com", true],
  ["ada@example.com", "ada@mail.example.com", true],
  ["+1@example.com", "+2@example.com", true],
])("after a mail to %s there may be one to %s: %s", async (first, second, may) => {
  expect(await caps.mayMail(first)).toBe(true);
  expect(await caps.mayMail(second)).toBe(may);
});

test("neither addresses nor networks are in the store", async () => {
  await caps.mayMail("ada@example.com");
  await caps.admit("192.0.2.0/24", false);
  for (const key of counters.keys) expect(key).toMatch(/^(all|[\w-]{43})$/);
});
