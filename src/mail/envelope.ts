import type { Mail } from "./transport.ts";
import type { Verdict } from "./verdict.ts";

/** RFC 5321 §4.5.3.1.3, less the angle brackets. */
const longestAddress = 254;

/** No white space, control characters or angle brackets, which could end the SMTP command. */
const safeAddress = /^[^\s\p{Cc}<>]+@[^\s\p{Cc}<>@]+$/u;

/** The verdict for a message whose envelope is not valid in SMTP; null if it is valid. */
export function envelopeFault(mail: Pick<Mail, "from" | "to">): Verdict | null {
  for (const [who, address] of [["sender", mail.from] as const, ["recipient", mail.to] as const]) {
    const shown = JSON.stringify(address.slice(0, 80));
    if (!safeAddress.test(address)) return rejected(`the ${who} ${shown} is not valid in an SMTP envelope`);
    if (Buffer.byteLength(address) > longestAddress) {
      return rejected(`the ${who} ${shown}… is longer than ${longestAddress} octets`);
    }
  }
  return null;
}

/** Whether the envelope needs SMTPUTF8 (RFC 6531 §3.2). */
export function needsSmtpUtf8(mail: Pick<Mail, "from" | "to">): boolean {
  return /[^\0-\x7f]/.test(mail.from + mail.to);
}

/** A local rejection. The relay has not seen the message. */
export function rejected(reply: string): Verdict {
  return { kind: "rejected", scope: "message", reply };
}
