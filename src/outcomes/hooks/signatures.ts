import { createHash, createHmac, timingSafeEqual, verify, type KeyObject } from "node:crypto";
import { hookSeconds } from "../../abuse/limits.ts";

const skewMs = 5 * 60_000;

/** Whether a call was signed recently enough to be no replay. @param signedAt null if the call does not say when */
export function isRecent(signedAt: Date | null, now: Date): boolean {
  if (signedAt === null) return false;
  const age = now.getTime() - signedAt.getTime();
  return age <= hookSeconds * 1_000 && age >= -skewMs;
}

/**
 * SendGrid signs the time and the body with ECDSA (twilio.com/docs/sendgrid/for-developers/tracking-events/
 * getting-started-event-webhook-security-features).
 */
export function signedBySendGrid(
  key: KeyObject,
  { signature, timestamp, body }: { signature: string; timestamp: string; body: Buffer },
): boolean {
  return verify("sha256", Buffer.concat([Buffer.from(timestamp), body]), key, Buffer.from(signature, "base64"));
}

/**
 * Mailgun signs the time and a random token with HMAC-SHA256, but not the event
 * (documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks).
 */
export function signedByMailgun(
  key: string,
  { signature, timestamp, token }: { signature: string; timestamp: string; token: string },
): boolean {
  return isSameText(signature, createHmac("sha256", key).update(`${timestamp}${token}`).digest("hex"));
}

/** Whether an Authorization header has this password: of Basic (RFC 7617) with any user name, or as a Bearer token (RFC 6750). */
export function hasPassword(header: string | undefined, password: string): boolean {
  const [, scheme = "", given = ""] = /^(basic|bearer) +([\w.~+/=-]{1,1000})$/i.exec(header ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return isSameText(given, password);
  const login = Buffer.from(given, "base64").toString("utf8");
  return login.includes(":") && isSameText(login.slice(login.indexOf(":") + 1), password);
}

/** In the same time for all texts. */
function isSameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
