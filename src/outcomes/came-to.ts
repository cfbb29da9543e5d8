import { flatten, readMessage } from "./entity.ts";

/** What mail servers write down on delivery, and what the sender of the report did. */
const ofDelivery = new Set([
  "delivered-to",
  "x-original-to",
  "x-delivered-to",
  "envelope-to",
  "x-envelope-to",
  "received",
  "to",
]);
/** Of the returned email, and of reports (RFC 5965 §3.2, Postfix). */
const ofOriginal = new Set(["return-path", "x-postfix-sender", "original-mail-from"]);
const returned = /^(?:message\/(?:rfc822|global|rfc822-headers|global-headers)|text\/(?:rfc822|global)-headers)$/;
const reports = /^message\/(?:(?:global-)?delivery-status|feedback-report)$/;

/**
 * The addresses that an email in a mailbox came to, by the fields that mail servers add. Only if none of them is ours, the
 * report and the email that it returns are asked: a program may report complaints to another address of the same mailbox.
 * @param raw of a limited size @param isOurs nothing else is returned
 */
export function addressesIn(raw: Buffer, isOurs: (address: string) => boolean): string[] {
  const message = readMessage(raw);
  const found = (texts: readonly string[], names: ReadonlySet<string>): string[] => {
    const words = texts.flatMap((text) => valuesOf(text, names)).flatMap((value) => value.split(/[\s<>,;:"()]+/));
    return [...new Set(words.filter((word) => word.includes("@")).map((word) => word.toLowerCase()))].filter(isOurs);
  };
  const direct = found([message.head], ofDelivery);
  if (direct.length > 0) return direct;
  const inside = flatten(message).flatMap(({ type, body }) => {
    if (reports.test(type)) return [body];
    if (!returned.test(type)) return [];
    const end = body.indexOf("\n\n");
    return [end < 0 ? body : body.slice(0, end)];
  });
  return found(inside, ofOriginal);
}

/** All values of these fields, unfolded. A field can stand more than once. */
function valuesOf(text: string, names: ReadonlySet<string>): string[] {
  return text
    .replace(/\n[ \t]+/g, " ")
    .split("\n")
    .filter((line) =>
      names.has(
        line
          .slice(0, Math.max(line.indexOf(":"), 0))
          .trim()
          .toLowerCase(),
      ),
    )
    .map((line) => line.slice(line.indexOf(":") + 1));
}
