import { createHmac, timingSafeEqual } from "node:crypto";

/** What a link may be used for; a token of one purpose is refused for any other. */
export type Purpose = "preferences" | "unsubscribe";

const keyLength = 16;
const macLength = 16;

/**
 * The opaque token of a reader's link: the subscriber's random key and a MAC over purpose and key, base64url, 43
 * characters. It holds neither address nor row id (OWASP ASVS 5.0, 14.2.1) and 128 bits of randomness (11.5.1).
 */
export function linkToken(secret: string, purpose: Purpose, key: Buffer): string {
  return Buffer.concat([key, mac(secret, purpose, key)]).toString("base64url");
}

/** The subscriber's key in a token, or null when the token was not made by us for this purpose. */
export function readLinkToken(secret: string, purpose: Purpose, token: string): Buffer | null {
  if (!/^[\w-]{43}$/.test(token)) return null;
  const bytes = Buffer.from(token, "base64url");
  const key = bytes.subarray(0, keyLength);
  return timingSafeEqual(bytes.subarray(keyLength), mac(secret, purpose, key)) ? key : null;
}

/**
 * The Message-ID of a delivery: the same at every attempt, another for every reader and edition (Gmail throttles a
 * repeated one, 421 4.7.28), in From's domain.
 * @param edition date and number, such as `2026-11-24.1`
 */
export function messageId(secret: string, edition: string, key: Buffer, domain: string): string {
  const unique = createHmac("sha256", secret).update(`message-id:${edition}:`).update(key).digest("hex").slice(0, 32);
  return `<${edition}.${unique}@${domain}>`;
}

/** What is left of an address in `suppressions`: a keyed hash of its folded form. */
export function addressHash(secret: string, addressKey: string): Buffer {
  return createHmac("sha256", secret).update(`suppression:${addressKey}`).digest();
}

function mac(secret: string, purpose: Purpose, key: Buffer): Buffer {
  return createHmac("sha256", secret).update(`link:${purpose}:`).update(key).digest().subarray(0, macLength);
}
