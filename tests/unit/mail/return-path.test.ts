import fc from "fast-check";
import { longestBounceLocal } from "../../../src/config/mail.ts";
import { expect, test } from "vitest";
import {
  addressFingerprint,
  readReturnPath,
  readUnsubscribeAddress,
  returnPath,
  type ReturnTarget,
  unsubscribeMailto,
} from "../../../src/mail/return-path.ts";

const secret = "a-secret-for-tests-only-0123456789";
const options = { secret, bounceAddress: "Bounce@news.example.com" };
const address = "reader@example.org";
const fingerprint = addressFingerprint(secret, address);
const target = fc.oneof(
  fc.record({
    kind: fc.constant("delivery" as const),
    editionId: fc.integer({ min: 1, max: 2 ** 40 - 1 }),
    id: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
  }),
  fc.record({ kind: fc.constant("notice" as const), id: fc.integer({ min: 1, max: 2 ** 48 - 1 }) }),
);

test("a return path names its email, in whatever case it comes back, and fits into a local part", () => {
  fc.assert(
    fc.property(target, fc.boolean(), (about, upper) => {
      const path = returnPath(options, about, address);
      const [local] = path.split("@");
      expect(local!.length).toBeLessThanOrEqual(64);
      const read = readReturnPath(options, upper ? path.toUpperCase() : path);
      expect(read).toEqual({ ...about, fingerprint } satisfies ReturnTarget);
    }),
  );
});

test("the longest bounce address leaves just enough room", () => {
  const bounceAddress = `${"b".repeat(longestBounceLocal)}@example.com`;
  const path = returnPath({ secret, bounceAddress }, { kind: "notice", id: 1 }, address);
  expect(path.indexOf("@")).toBe(64);
});

const key = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
const addressIn = (mailto: string): string =>
  decodeURIComponent(/^mailto:([^?]+)\?subject=unsubscribe$/.exec(mailto)![1]!);

test("an unsubscribe address names its reader, in whatever case it comes back, and is no return path", () => {
  fc.assert(
    fc.property(key, fc.boolean(), (of, upper) => {
      const to = addressIn(unsubscribeMailto(options, of));
      expect(to.indexOf("@")).toBeLessThanOrEqual(64);
      const given = upper ? to.toUpperCase() : to;
      expect(readUnsubscribeAddress(options, given)).toEqual(of.subarray(0, 14));
      expect(readReturnPath(options, given)).toBeNull();
      expect(readUnsubscribeAddress({ ...options, secret: `${secret}x` }, given)).toBeNull();
    }),
  );
  fc.assert(
    fc.property(target, (about) => readUnsubscribeAddress(options, returnPath(options, about, address)) === null),
  );
});

test("an unsubscribe address is valid in a URI and in a header, whatever the bounce address has", () => {
  const bounceAddress = "a!#$%&'*+/=?^_`{|}~-@example.com";
  const mailto = unsubscribeMailto({ secret, bounceAddress }, Buffer.alloc(16, 1));
  expect(mailto).toMatch(/^mailto:[\w!$'*+~%-]+\+[a-z2-7]{40}@example\.com\?subject=unsubscribe$/);
  expect(readUnsubscribeAddress({ secret, bounceAddress }, addressIn(mailto))).toEqual(Buffer.alloc(14, 1));
});

test("a changed token gives nothing", () => {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  fc.assert(
    fc.property(target, fc.nat({ max: 39 }), fc.constantFrom(...alphabet), (about, place, other) => {
      const path = returnPath(options, about, address);
      const at = path.indexOf("+") + 1 + place;
      fc.pre(path[at] !== other);
      expect(readReturnPath(options, path.slice(0, at) + other + path.slice(at + 1))).toBeNull();
    }),
  );
});

test("what was never made here gives nothing", () => {
  const path = returnPath(options, { kind: "notice", id: 7 }, address);
  for (const wrong of [
    "",
    "@",
    options.bounceAddress,
    "bounce+@news.example.com",
    path.replace("news.", "other."),
    path.replace("Bounce", "Bounces"),
    path.replace("@", "a@"),
    `${path}\r\nx`,
    path.replace("+", "-"),
  ]) {
    expect(readReturnPath(options, wrong), wrong).toBeNull();
  }
  expect(readReturnPath({ ...options, secret: `${secret}x` }, path)).toBeNull();
  fc.assert(fc.property(fc.string(), (text) => readReturnPath(options, text) === null));
  const forged = fc.array(fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz234567"), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(forged, (token) => {
      expect(readReturnPath(options, `bounce+${token.join("")}@news.example.com`)).toBeNull();
    }),
  );
});
