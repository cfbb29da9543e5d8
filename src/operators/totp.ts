import { createHmac } from "node:crypto";

const stepSeconds = 30;
const digits = 6;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The number of the 30 s step that an instant is in (RFC 6238, 4.2). */
export function stepOf(at: Date): number {
  return Math.floor(at.getTime() / 1_000 / stepSeconds);
}

/** The code of a step: HOTP with SHA-1, as authenticator programs have it (RFC 4226, 5.3). */
export function codeOf(key: Buffer, step: number, length: number = digits): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac("sha1", key).update(counter).digest();
  const offset = hash.at(-1)! & 0x0f;
  const number = hash.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** length).padStart(length, "0");
}

/**
 * The step that a typed code belongs to: this one, or the one before or after it, for clocks differ (RFC 6238, 5.2).
 * @param usedStep the last step whose code was taken: no code is good twice
 * @returns null for a wrong or used code
 */
export function matchCode(key: Buffer, typed: string, at: Date, usedStep: number | null): number | null {
  const code = typed.replace(/\s/g, "");
  const now = stepOf(at);
  return [now, now - 1, now + 1].find((step) => step > (usedStep ?? -1) && codeOf(key, step) === code) ?? null;
}

/** RFC 4648 base 32 without padding, in which authenticator programs take keys. */
export function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, "0"), 2)]).join("");
}

/**
 * The key of an operator's codes. It is made of SECRET and the stored salt, so that the database alone does not give it.
 * @returns 20 bytes, as RFC 4226 recommends
 */
export function totpKey(secret: string, operatorId: number, salt: Buffer): Buffer {
  return createHmac("sha1", secret).update(`totp:${operatorId}:`).update(salt).digest();
}

/** What an authenticator program is set up with, by link or by hand. */
export function totpSetup(key: Buffer, names: { publication: string; operator: string }): { key: string; uri: string } {
  const text = base32(key);
  const label = `${encodeURIComponent(names.publication)}:${encodeURIComponent(names.operator)}`;
  const uri = `otpauth://totp/${label}?secret=${text}&issuer=${encodeURIComponent(names.publication)}`;
  return { key: text.match(/.{1,4}/g)!.join(" "), uri };
}
