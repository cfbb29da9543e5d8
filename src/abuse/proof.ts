import { createHmac } from "node:crypto";
import { createChallenge, verifySolution, type Challenge, type Payload } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/pbkdf2";
import { challengeSeconds } from "./limits.ts";

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
