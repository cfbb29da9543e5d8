import { createHmac } from "node:crypto";

const stepSeconds = 30;

/** What a typed code is: one for a 30 s step, one that was good and has been used, or a wrong one. */
export type CodeMatch = { kind: "code"; step: number } | { kind: "used" } | { kind: "wrong" };

/**
 * Compares a typed code with those of this step and of the steps before and after it, because clocks differ
 * (RFC 6238, 5.2).
 * @param usedStep the last step whose code was accepted: no code is accepted twice
 */
export async function matchCode(key: Buffer, typed: string, at: Date, usedStep: number | null): Promise<CodeMatch> {
  const token = typed.replace(/\s/g, "");
  if (!/^\d{6}$/.test(token)) return { kind: "wrong" };
  // Loaded with the first code, so that a start does not wait for it.
  const { verifySync } = await import("otplib");
  const found = verifySync({
    secret: key,
    token,
    epoch: Math.floor(at.getTime() / 1_000),
    period: stepSeconds,
    epochTolerance: stepSeconds,
  });
  if (!found.valid || !("timeStep" in found)) return { kind: "wrong" };
  return found.timeStep > (usedStep ?? -1) ? { kind: "code", step: found.timeStep } : { kind: "used" };
}

/**
 * The key of an operator's codes. It is made of SECRET and the stored salt, so that the database alone does not give it.
 * @returns 20 bytes, as RFC 4226 recommends
 */
export function totpKey(secret: string, operatorId: number, salt: Buffer): Buffer {
  return createHmac("sha1", secret).update(`totp:${operatorId}:`).update(salt).digest();
}

/** What an authenticator app is set up with, by link or by hand. */
export async function totpSetup(
  key: Buffer,
  names: { publication: string; operator: string },
): Promise<{ key: string; uri: string }> {
  const { generateURI, ScureBase32Plugin } = await import("otplib");
  const secret = new ScureBase32Plugin().encode(key);
  const uri = generateURI({ secret, issuer: names.publication, label: names.operator });
  return { key: secret.match(/.{1,4}/g)!.join(" "), uri };
}
