import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * The purpose of a link; a token is valid for one purpose only. `unsubscribe` is for the List-Unsubscribe header: it can
 * only stop and restart the emails (ADR 17).
 */
export type Purpose = "preferences" | "unsubscribe";

/** The purpose of a link that expires. */
export type ExpiringPurpose = "confirm" | "change-address";

const keyLength = 16;
const expiryLength = 6;
const macLength = 16;

/**
 * The opaque token of a reader's link: the subscriber's random key and a MAC over purpose and key, base64url, 43
 * characters. It contains neither address nor row id (OWASP ASVS 5.0, 14.2.1) and 128 bits of randomness (11.5.1).
 */
export function linkToken(secret: string, purpose: Purpose, key: Buffer): string {
  return Buffer.concat([key, mac(secret, purpose, key)]).toString("base64url");
}

/** The subscriber's key in a token, or null for a token that is invalid for this purpose. */
export function readLinkToken(secret: string, purpose: Purpose, token: string): Buffer | null {
  if (!/^[\w-]{43}$/.test(token)) return null;
  const bytes = Buffer.from(token, "base64url");
  const key = bytes.subarray(0, keyLength);
  return timingSafeEqual(bytes.subarray(keyLength), mac(secret, purpose, key)) ? key : null;
}

/**
 * The opaque token of a link that expires: a random key, the second it expires, and a MAC over purpose and both, base64url,
 * 51 characters. Like `linkToken`, it contains neither address nor row id.
 */
export function expiringToken(secret: string, purpose: ExpiringPurpose, key: Buffer, expiresAt: Date): string {
  const expiry = Buffer.alloc(expiryLength);
  expiry.writeUIntBE(Math.floor(expiresAt.getTime() / 1_000), 0, expiryLength);
  const signed = Buffer.concat([key, expiry]);
  return Buffer.concat([signed, mac(secret, purpose, signed)]).toString("base64url");
}

/** The content of such a token, expired or not, or null for a token that is invalid for this purpose. */
export function readExpiringToken(
  secret: string,
  purpose: ExpiringPurpose,
  token: string,
): { key: Buffer; expiresAt: Date } | null {
  if (!/^[\w-]{51}$/.test(token)) return null;
  const bytes = Buffer.from(token, "base64url");
  const signed = bytes.subarray(0, keyLength + expiryLength);
  if (!timingSafeEqual(bytes.subarray(signed.length), mac(secret, purpose, signed))) return null;
  const seconds = signed.readUIntBE(keyLength, expiryLength);
  return { key: signed.subarray(0, keyLength), expiresAt: new Date(seconds * 1_000) };
}

/**
 * The Message-ID of a delivery: the same for every attempt, different for every reader and edition (Gmail throttles
 * repeated ones, 421 4.7.28).
 * @param edition date and number, such as `2026-11-24.1`
 * @param domain of the sender when the edition's first email was built
 */
export function messageId(secret: string, edition: string, key: Buffer, domain: string): string {
  const unique = createHmac("sha256", secret).update(`message-id:${edition}:`).update(key).digest("hex").slice(0, 32);
  return `<${edition}.${unique}@${domain}>`;
}

/** The Message-ID of a notice: the same for every attempt. It starts with the notice's date, so that ids sort. */
export function noticeMessageId(secret: string, notice: { id: number; createdAt: Date }, domain: string): string {
  const unique = createHmac("sha256", secret).update(`notice:${notice.id}`).digest("hex").slice(0, 32);
  const date = notice.createdAt.toISOString().slice(0, 10);
  return `<${date}.notice.${unique}@${domain}>`;
}

/** The keyed hash of an address in `suppressions`. */
export function addressHash(secret: string, addressKey: string): Buffer {
  return createHmac("sha256", secret).update(`suppression:${addressKey}`).digest();
}

function mac(secret: string, purpose: Purpose | ExpiringPurpose, signed: Buffer): Buffer {
  return createHmac("sha256", secret).update(`link:${purpose}:`).update(signed).digest().subarray(0, macLength);
}
