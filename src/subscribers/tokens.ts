import { createHmac, timingSafeEqual } from "node:crypto";
import { type BounceWays, receivesBounces } from "../config/mail.ts";
import { unsubscribeMailto } from "../mail/return-path.ts";

/**
 * The purpose of a link; a token is valid for one purpose only. `unsubscribe` is for the List-Unsubscribe header: it can
 * only stop and restart the emails (ADR 17). `keep` is for the button of a question, and can only answer it.
 */
export type Purpose = "preferences" | "unsubscribe" | "keep";

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

/** The keyed hash of an address in `suppressions`. */
export function addressHash(secret: string, addressKey: string): Buffer {
  return createHmac("sha256", secret).update(`suppression:${addressKey}`).digest();
}

/** Tells whether hashes of two lists were made with the same secret. Addresses contain no spaces, so it is no address's hash. */
export function suppressionKeyId(secret: string): string {
  return addressHash(secret, "key id").toString("hex").slice(0, 16);
}

function mac(secret: string, purpose: Purpose | ExpiringPurpose, signed: Buffer): Buffer {
  return createHmac("sha256", secret).update(`link:${purpose}:`).update(signed).digest().subarray(0, macLength);
}

export interface LinkOptions {
  secret: string;
  /** Without trailing slash. */
  publicUrl: string;
}

/** How long a link in an email to an unconfirmed mailbox is valid. */
const linkLifeMs = 48 * 3_600_000;

/** The link that confirms a sign-up. @param key the consent's */
export function confirmLink({ secret, publicUrl }: LinkOptions, key: Buffer, since: Date): string {
  return `${publicUrl}/confirm/${expiringToken(secret, "confirm", key, endOf(since))}`;
}

/** The link that confirms a new address. @param key the address change's */
export function changeLink({ secret, publicUrl }: LinkOptions, key: Buffer, since: Date): string {
  return `${publicUrl}/change-address/${expiringToken(secret, "change-address", key, endOf(since))}`;
}

/** The link that answers a question. It stays valid, so that a paused reader can come back. @param key the subscriber's */
export function keepLink({ secret, publicUrl }: LinkOptions, key: Buffer): string {
  return `${publicUrl}/keep/${linkToken(secret, "keep", key)}`;
}

/** Links to a reader's own pages. */
export interface OwnLinks {
  preferences: string;
  /** The visible link in emails and on pages. Its page links to the preferences. */
  unsubscribe: string;
  /** The List-Unsubscribe header's link, which others can read: it can only unsubscribe and subscribe again (ADR 17). */
  oneClick: string;
}

/** @param key the subscriber's @param publicUrl "" for paths */
export function ownLinks({ secret, publicUrl }: LinkOptions, key: Buffer): OwnLinks {
  const preferences = `${publicUrl}/preferences/${linkToken(secret, "preferences", key)}`;
  return {
    preferences,
    unsubscribe: `${preferences}/unsubscribe`,
    oneClick: `${publicUrl}/unsubscribe/${linkToken(secret, "unsubscribe", key)}`,
  };
}

/** The links in a reader's emails, and the `mailto:` URI beside the header's link if Dayletter receives emails to it. */
export function mailLinks(options: LinkOptions & BounceWays, key: Buffer): OwnLinks & { mailto: string | null } {
  const { secret, bounceAddress } = options;
  const received = bounceAddress !== null && receivesBounces(options);
  return { ...ownLinks(options, key), mailto: received ? unsubscribeMailto({ secret, bounceAddress }, key) : null };
}

function endOf(since: Date): Date {
  return new Date(since.getTime() + linkLifeMs);
}
