import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { expiringToken, linkToken, readExpiringToken, readLinkToken } from "../../../src/subscribers/tokens.ts";
import { noticeMessageId } from "../../../src/mail/message-id.ts";

const secret = "a-secret-for-tests-only-0123456789";
const key = randomBytes(16);
const end = new Date("2026-11-26T08:00:00Z");
const token = expiringToken(secret, "confirm", key, end);

test("a link that ends holds its key and its end, and nothing that tells whose it is", () => {
  expect(token).toMatch(/^[\w-]{51}$/);
  expect(readExpiringToken(secret, "confirm", token)).toEqual({ key, expiresAt: end });
});

test("neither another purpose, nor another secret, nor one changed character passes", () => {
  expect(readExpiringToken(secret, "change-address", token)).toBeNull();
  expect(readExpiringToken(`${secret}x`, "confirm", token)).toBeNull();
  expect(readExpiringToken(secret, "confirm", linkToken(secret, "unsubscribe", key))).toBeNull();
  expect(readLinkToken(secret, "unsubscribe", token)).toBeNull();
  for (let i = 0; i < token.length; i++) {
    const other = token[i] === "A" ? "B" : "A";
    // The last character carries bits that base64url leaves unused; what it decodes to is what counts.
    const forged = token.slice(0, i) + other + token.slice(i + 1);
    if (Buffer.from(forged, "base64url").equals(Buffer.from(token, "base64url"))) continue;
    expect(readExpiringToken(secret, "confirm", forged), forged).toBeNull();
  }
  for (const text of ["", "A".repeat(51), `${token}A`, ` ${token}`, token.slice(1)]) {
    expect(readExpiringToken(secret, "confirm", text)).toBeNull();
  }
});

test("a notice has the same Message-ID at every attempt, and another one than any other", () => {
  const id = (n: number) => noticeMessageId(secret, { id: n, createdAt: new Date("2026-11-24T23:59Z") }, "example.com");
  expect(id(7)).toBe(id(7));
  expect(id(7)).not.toBe(id(8));
  expect(id(7)).toMatch(/^<2026-11-24\.notice\.[0-9a-f]{32}@example\.com>$/);
});
