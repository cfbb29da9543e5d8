import { createHash, randomBytes } from "node:crypto";

/** A new token of 256 random bits, and the hash to store. */
export function newToken(): { token: string; hash: Buffer } {
  const token = randomBytes(32).toString("base64url");
  return { token, hash: hashOf(token) };
}

/** Tokens have at least 128 random bits, so a fast hash is sufficient. */
export function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
