import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** A browser is remembered for a year after its last sign-in. */
export const deviceMs = 365 * 24 * 3_600_000;
/** Maximum number of operators remembered per browser. */
const mostKept = 4;

/**
 * Checks whether a browser has signed in to an account before. Known browsers have their own allowance of attempts and no
 * other privilege (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 * @param cookie a value from `rememberDevice`, or anything else
 * @param account the normalised name of an operator, who need not exist
 * @returns the browser's identifier, or null
 */
export function knownDevice(secret: string, cookie: string | null, account: string, now: Date): string | null {
  return partsOf(cookie).find((part) => isOf(secret, part, account, now)) ?? null;
}

/** The cookie of a browser that has just signed in. It does not reveal the account name. */
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
