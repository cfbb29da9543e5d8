import { createHash, randomBytes } from "node:crypto";

/** A new token of 256 random bits, and what is kept of it. */
export function newToken(): { token: string; hash: Buffer } {
  const token = randomBytes(32).toString("base64url");
  return { token, hash: hashOf(token) };
}

/** Tokens have 128 random bits or more, so a plain hash is as hard to turn back as the token is to guess. */
export function hashOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
