import { createHmac, timingSafeEqual } from "node:crypto";
import { createChallenge, verifySolution, type Challenge, type Payload } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/pbkdf2";
import { fillMs, formMs, challengeSeconds } from "./limits.ts";

/** The age of a form: `early` is faster than a person types, `foreign` was not signed by this server. */
type FormAge = "fine" | "early" | "old" | "foreign";

/** The signed time at which a form was made, for its field `t`. It is not bound to a reader. */
export function formTime(secret: string, at: Date): string {
  const time = at.getTime().toString(36);
  return `${time}.${mac(secret, time)}`;
}

/** @param t the value that the form sent back */
export function formAge(secret: string, t: unknown, now: Date): FormAge {
  if (typeof t !== "string" || !/^[a-z0-9]{1,11}\.[\w-]{22}$/.test(t)) return "foreign";
  const [time, signed] = t.split(".") as [string, string];
  if (!timingSafeEqual(Buffer.from(signed), Buffer.from(mac(secret, time)))) return "foreign";
  const age = now.getTime() - parseInt(time, 36);
  if (age < fillMs) return "early";
  return age > formMs ? "old" : "fine";
}

function mac(secret: string, time: string): string {
  return createHmac("sha256", secret).update(`form:${time}`).digest().subarray(0, 16).toString("base64url");
}

const longestPayload = 4_000;

/** A signed ALTCHA challenge (version 2), which is not stored. @param cost rounds of PBKDF2 in one try */
export function newChallenge(secret: string, cost: number, now: Date): Promise<Challenge> {
  return createChallenge({
    algorithm: "PBKDF2/SHA-256",
    cost,
    deriveKey,
    keyPrefix: "00",
    // By the injected clock; ALTCHA's own `expiresAt` uses the machine's.
    data: { until: Math.floor(now.getTime() / 1_000) + challengeSeconds },
    hmacSignatureSecret: signingKey(secret),
  });
}

/**
 * Reads a solved challenge. The caller checks whether it was used before.
 * @param payload base64 of `{ challenge, solution }` as JSON
 * @returns the challenge's unique nonce, or null when it is foreign, not solved or expired
 */
export async function readProof(secret: string, payload: string, now: Date): Promise<string | null> {
  try {
    if (payload.length > longestPayload) return null;
    const { challenge, solution } = JSON.parse(Buffer.from(payload, "base64").toString("utf8")) as Payload;
    const hmacSignatureSecret = signingKey(secret);
    const { verified } = await verifySolution({ challenge, solution, deriveKey, hmacSignatureSecret });
    const until = Number(challenge.parameters.data?.["until"]);
    return verified && until >= now.getTime() / 1_000 ? challenge.parameters.nonce : null;
  } catch {
    return null; // Not JSON, or not of this shape.
  }
}

function signingKey(secret: string): string {
  return createHmac("sha256", secret).update("proof-of-work").digest("hex");
}
