import { createHmac } from "node:crypto";

const stepSeconds = 30;

/** The result for an entered code: valid for a 30 s step, already used, or wrong. */
export type CodeMatch = { kind: "code"; step: number } | { kind: "used" } | { kind: "wrong" };

/**
 * Compares an entered code with the codes of the previous, present and next step, because clocks differ
 * (RFC 6238, 5.2).
 * @param usedStep the last step whose code was accepted: no code is accepted twice
 */
export async function matchCode(key: Buffer, typed: string, at: Date, usedStep: number | null): Promise<CodeMatch> {
  const token = typed.replace(/\s/g, "");
  if (!/^\d{6}$/.test(token)) return { kind: "wrong" };
  // Loaded on first use to keep the start fast.
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
 * The key of an operator's codes. It is derived from SECRET and the stored salt, so the database alone does not reveal it.
 * @returns 20 bytes, as RFC 4226 recommends
 */
export function totpKey(secret: string, operatorId: number, salt: Buffer): Buffer {
  return createHmac("sha1", secret).update(`totp:${operatorId}:`).update(salt).digest();
}

/** The link and the key to set up an authenticator app. */
export async function totpSetup(
  key: Buffer,
  names: { publication: string; operator: string },
): Promise<{ key: string; uri: string }> {
  const { generateURI, ScureBase32Plugin } = await import("otplib");
  const secret = new ScureBase32Plugin().encode(key);
  const uri = generateURI({ secret, issuer: names.publication, label: names.operator });
  return { key: secret.match(/.{1,4}/g)!.join(" "), uri };
}
