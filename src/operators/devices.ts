import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** A browser is known for a year after its last sign-in. */
export const deviceMs = 365 * 24 * 3_600_000;
/** Operators who share a browser. */
const mostKept = 4;

/**
 * Looks whether a browser has signed in to an account before. It proves nothing else: such a browser has an allowance of
 * tries of its own (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 * @param cookie as `rememberDevice` made it, or anything
 * @param account an operator's name as it is compared; it need not exist
 * @returns what tells this browser from every other, or null
 */
export function knownDevice(secret: string, cookie: string | null, account: string, now: Date): string | null {
  return partsOf(cookie).find((part) => isOf(secret, part, account, now)) ?? null;
}

/** The cookie of a browser that has just signed in, which names no account: only who knows the name can tell. */
export function rememberDevice(secret: string, cookie: string | null, account: string, now: Date): string {
  const id = `${randomBytes(16).toString("base64url")}.${now.getTime().toString(36)}`;
  const others = partsOf(cookie).filter((part) => !isOf(secret, part, account, now));
  return [`${id}.${mac(secret, id, account)}`, ...others].slice(0, mostKept).join("~");
}

function partsOf(cookie: string | null): string[] {
  return (cookie ?? "").split("~", mostKept).filter((part) => /^[\w-]{22}\.[a-z0-9]{1,11}\.[\w-]{43}$/.test(part));
}

function isOf(secret: string, part: string, account: string, now: Date): boolean {
  const end = part.lastIndexOf(".");
  const id = part.slice(0, end);
  const wanted = Buffer.from(mac(secret, id, account));
  const age = now.getTime() - parseInt(id.split(".")[1]!, 36);
  return timingSafeEqual(Buffer.from(part.slice(end + 1)), wanted) && age < deviceMs;
}

function mac(secret: string, id: string, account: string): string {
  return createHmac("sha256", secret).update(`device:${id}:${account}`).digest("base64url");
}
