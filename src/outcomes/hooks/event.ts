import { bounceKind } from "../bounce-kind.ts";
import { codesOf } from "../codes.ts";
import type { LaterOutcome } from "../store.ts";

/** What an email service says became of one email. */
export interface HookEvent {
  outcome: LaterOutcome;
  /** The recipient, as the service writes it. */
  address: string;
  /** Enhanced status code, reply code, or both. */
  code: string | null;
  /** The server's words. */
  text: string | null;
  at: Date | null;
  /** The email's envelope sender, if the service says it. */
  returnPath: string | null;
  /** The email's Message-ID, if the service says it. */
  messageId: string | null;
}

/**
 * The service refused the email itself, for example because the address is on its own suppression list. It has not asked the
 * receiving server, so this says nothing about the address (RFC 3463 §3.8: delivery not authorised, message refused).
 */
export const refusedByService = "5.7.1";

/** A list with one event; an empty list if it has no address. */
export function eventOf(
  event: Omit<HookEvent, "address" | "returnPath" | "messageId"> & {
    address: string | null;
    returnPath?: string | null;
    messageId?: string | null;
  },
): HookEvent[] {
  const { address, returnPath = null, messageId = null } = event;
  if (address === null) return [];
  return [{ ...event, address: bareAddress(address), returnPath: returnPath && bareAddress(returnPath), messageId }];
}

/** `Mina <mina@example.org>` is the same as `mina@example.org`. */
function bareAddress(text: string): string {
  return /<([^<>]{1,320})>$/.exec(text)?.[1] ?? text;
}

/** RFC 3463 §3.1 and §3.6: undefined. Outlook.com gives 5.5.0 for mailboxes that don't exist. */
const saysNothing = /^[45]\.[05]\.0$/;
const exact = /^[45]\.\d{1,3}\.\d{1,3}$/;

/**
 * The code of a failure: the exact status that the receiving server gave, otherwise what the service's own class means, otherwise the
 * reply code. Services also call it permanent when a server refuses the sender, so words about the sender outweigh a class that says
 * that the address doesn't exist.
 * @param said.text the server's words @param said.status enhanced code in a field of its own @param said.reply the same of a reply code
 * @param meaning the enhanced code (RFC 3463) that means the same as the service's class; null without one
 */
export function codeOf(
  said: { text: string | null; status?: string | null; reply?: string | null },
  meaning: string | null,
): string | null {
  const read = codesOf(said.text ?? "");
  const reply = [read.reply, said.reply ?? null].find((code) => code !== null && /^[45][0-5]\d$/.test(code)) ?? null;
  const enhanced = [said.status ?? null, read.enhanced].find(
    (code) => code !== null && exact.test(code) && !saysNothing.test(code),
  );
  if (enhanced) return reply === null ? enhanced : `${reply} ${enhanced}`;
  if (meaning === null) return reply;
  return bounceKind(meaning, null) === "hard" && isAboutSender(said.text ?? "") ? refusedByService : meaning;
}

function isAboutSender(text: string): boolean {
  const words = text.replace(/\b[45](?:\.\d{1,3}\.\d{1,3}|\d\d)\b/g, " ").trim();
  return bounceKind("550", words) === "policy";
}
