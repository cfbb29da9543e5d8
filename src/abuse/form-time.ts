import { createHmac, timingSafeEqual } from "node:crypto";
import { fillMs, formMs } from "./limits.ts";

/** The age of a form: `early` is faster than a person types, `foreign` was not signed by this server. */
export type FormAge = "fine" | "early" | "old" | "foreign";

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
