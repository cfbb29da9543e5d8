import { oneLine } from "../base/text.ts";
import { withoutAddress } from "../base/address.ts";
import type { Message } from "../texts/catalogue.ts";
import { relayQuota, type RelayQuota } from "./quota.ts";

/** What this side of the connection says where the relay says nothing. The catalogue has the texts, as `outcome.…`. */
export const faultCodes = [
  "address_invalid",
  "auth_not_offered",
  "connection_closed",
  "connection_lost",
  "message_too_large",
  "not_encrypted",
  "not_signed",
  "outbox_not_written",
  "relay_login_failed",
  "relay_paused",
  "relay_tls_failed",
  "relay_unreachable",
  "replied_too_early",
  "replies_out_of_step",
  "reply_too_long",
  "sender_address_invalid",
  "service_stopping",
  "smtputf8_missing",
  "timeout",
] as const;
export type FaultCode = (typeof faultCodes)[number];
export type FaultData = Readonly<Record<string, string | number>>;

export interface Fault {
  code: FaultCode;
  data?: FaultData;
}

/** The relay's last reply, on one line; or null and what went wrong without one. */
type Said = { reply: string; code?: undefined; data?: undefined } | ({ reply: null } & Fault);

/** The result of one attempt to send a message. */
export type Verdict =
  | { kind: "sent"; reply: string }
  /**
   * `relay`: the failure would affect readers of every provider. `provider`: the receiving provider asks for fewer emails.
   * `quietMs`: send nothing there for this time. `quota`: what the relay says is used up.
   */
  | ({ kind: "deferred"; scope: "address" | "provider" | "relay"; quietMs?: number; quota?: RelayQuota } & Said)
  /**
   * `address`: no such mailbox. `policy`: this sender is refused. `message`: only this message is affected.
   * `byProvider`: the refusal can be the receiving provider's own, so other providers may still accept.
   */
  | ({ kind: "rejected"; scope: "address" | "policy" | "message"; byProvider?: true } & Said)
  /** The final dot may have been sent and no reply came. */
  | ({ kind: "unknown" } & Said);

/** Whether the relay itself failed, which says nothing about the email, its reader or their provider. */
export function isRelayFailure(verdict: Verdict): boolean {
  return verdict.kind === "deferred" && verdict.scope === "relay";
}

export interface SmtpFailure {
  /** The current command; `body` after the reply to DATA, `final` for the reply to the final dot. */
  stage: "connect" | "tls" | "auth" | "mail" | "rcpt" | "data" | "body" | "final";
  /** Whether the final dot may have been sent. */
  bodyEnded: boolean;
  /** Reply code; null without a reply. */
  code: number | null;
  /** Enhanced status code (RFC 3463), such as "5.1.1". */
  enhanced: string | null;
  /** The reply's text without the codes; empty without a reply. */
  text: string;
  /** The library's error, such as a refused connection or an invalid certificate. */
  error: string | null;
  /** What this side found wrong itself. */
  fault?: Fault;
}

const replyLimit = 500;

/** Gmail, 421 4.7.28: stop for ten minutes, then restart with one connection (support.google.com/a/answer/81126). */
const tooFastQuietMs = 10 * 60_000;

/** RFC 3463 with RFC 7504 and RFC 7505: there is no such mailbox or mail domain. 5.7.17/18: the mailbox changed hands. */
const noSuchAddress = new Set(["1.1", "1.2", "1.3", "1.6", "1.10", "7.17", "7.18"]);

/** Only this message or a temporary state of the mailbox: disabled or full mailbox, size, routing, content. */
const thisMail = /^(?:1\.(?:0|4|5|9)|2\.\d+|3\.4|4\.(?!5$)\d+|6\.\d+|7\.13|0\.0)$/;

/** Words in a 550 without enhanced code that refer to the sender and not to the mailbox. */
const ourFault =
  /relay|spam|block|black|bann|polic|spf|dkim|dmarc|reputation|denied|authentic|\brate\b|limit|sender|verify|reverse|\bptr\b|helo|listed/i;

/**
 * The verdict on a failed attempt: by the relay's reply (RFC 5321 §4.2.1, RFC 3463), or by its stage if there is none.
 * Only a reply that clearly refers to the mailbox suppresses the address: a relay that blocks this sender must not empty
 * the list.
 */
export function judge(failure: SmtpFailure): Verdict {
  const { code, stage } = failure;
  if (code === null) {
    const fault = { reply: null, ...faultOf(failure) };
    return failure.bodyEnded ? { kind: "unknown", ...fault } : { kind: "deferred", scope: "relay", ...fault };
  }
  const reply = replyLine(failure);
  if (code < 400 || code > 599) {
    return failure.bodyEnded ? { kind: "unknown", reply } : { kind: "deferred", scope: "relay", reply };
  }
  const quota = relayQuota(failure);
  if (quota) return { kind: "deferred", scope: "relay", reply, quota };
  if (code < 500) return deferral(failure, reply);
  if (stage === "connect" || stage === "tls" || stage === "auth" || relayOnly.has(code)) {
    return { kind: "deferred", scope: "relay", reply };
  }
  const scope = rejection(failure, code);
  return {
    kind: "rejected",
    scope,
    ...(scope === "policy" && isProvidersPolicy(failure) ? { byProvider } : {}),
    reply,
  };
}

const byProvider = true;

/** Authentication required or failed (RFC 4954 §6), or a wrong sequence of commands: a new connection may work. */
const relayOnly = new Set([503, 530, 534, 535, 538]);

function deferral(failure: SmtpFailure, reply: string): Verdict {
  const { code, enhanced } = failure;
  const tooFast = enhanced === "4.7.28";
  if (!isAboutReader(failure)) {
    return { kind: "deferred", scope: "relay", reply, ...(tooFast ? { quietMs: tooFastQuietMs } : {}) };
  }
  if (isProvidersRate(failure)) return { kind: "deferred", scope: "provider", reply, quietMs: tooFastQuietMs };
  // 421: shutting down; 454: temporary (TLS, AUTH, Amazon SES's rate).
  const relay = code === 421 || code === 454 || enhanced === "4.3.1" || enhanced === "4.3.2";
  return { kind: "deferred", scope: relay ? "relay" : "address", reply };
}

/** Whether the relay knew the reader. Before RCPT TO it knows only the sender. */
function isAboutReader({ stage }: SmtpFailure): boolean {
  return stage !== "connect" && stage !== "tls" && stage !== "auth" && stage !== "mail";
}

/**
 * RFC 6647: a refusal of the first attempt for one sender and one recipient. Greylisters that do not say so answer 450 or 451
 * with 4.7.1 and ask to try again (rspamd, milter-greylist), without a word about the sender.
 */
function isGreylisting({ code, enhanced, text }: SmtpFailure): boolean {
  if (/gr[ae]y-?list/i.test(text)) return true;
  return code !== 421 && enhanced === "4.7.1" && !aboutSender.test(text) && !rateWords.test(text);
}

const aboutSender =
  /reputation|volume|complain|spam|block|listed|polic|unsolicited|\bhost|\bip\b|server|sender|unusual/i;

/** RFC 5321 §3.8: the server itself is going away. Relays say this at any command. */
const goingAway =
  /shut|restart|going down|maintenance|clos(?:e|ing) (?:the )?(?:transmission )?channel|timed? ?out|not available/i;

/** Words for a sender's rate, and words for one mailbox. Gmail's 4.2.1 is about the rate of one mailbox's incoming mail. */
const rateWords =
  /\brates?\b|rate-?limit|too (?:many|much|quickly|fast)|throttl|(?:limit|quota)s? (?:was |is |has been )?exceeded/i;
const oneMailbox = /\buser\b|mailbox|recipient|account|you are trying to contact/i;

/**
 * Whether a temporary refusal after RCPT TO is about the rate or the reputation of this sender at the receiving provider:
 * any 4.7.x (Gmail 4.7.28, Yahoo 4.7.0, Microsoft 4.7.650; support.google.com/a/answer/3726730), a 421 that is not about
 * the server itself (RFC 3463: 4.3.x system, 4.4.x network, 4.5.x protocol), and words about a rate that is not one
 * mailbox's. Greylisting and 454 are not.
 */
function isProvidersRate(failure: SmtpFailure): boolean {
  const { code, enhanced, text } = failure;
  if (code === 454 || isGreylisting(failure)) return false;
  if (enhanced?.startsWith("4.7.")) return true;
  if (enhanced !== null && !/^4\.[02]\.[01]$/.test(enhanced)) return false;
  if (code === 421) return !goingAway.test(text);
  return rateWords.test(text) && !oneMailbox.test(text);
}

/** A relay's refusal to relay at all. It would say the same for any other provider. */
const relaysOwn =
  /relay(?:ing)?\b.{0,20}(?:denied|not permitted|prohibited)|not permitted to relay|unable to relay|authentication required/i;

/**
 * Whether a policy refusal can be the receiving provider's own: 5.7.x or no status, after RCPT TO. Syntax errors (5.5.x)
 * and limits of the route (5.4.x) are the relay's.
 */
function isProvidersPolicy(failure: SmtpFailure): boolean {
  const { enhanced, text, code } = failure;
  if (!isAboutReader(failure) || relaysOwn.test(text)) return false;
  return enhanced?.startsWith("5.7.") ?? code !== 501;
}

function rejection(failure: SmtpFailure, code: number): "address" | "policy" | "message" {
  const { stage, enhanced, text } = failure;
  const detail = enhanced?.startsWith("5.") ? enhanced.slice(2) : null;
  // MAIL FROM names only the sender and the size.
  if (stage === "mail") return detail === "3.4" || code === 552 ? "message" : "policy";
  if (detail !== null) {
    if (noSuchAddress.has(detail)) return "address";
    return thisMail.test(detail) ? "message" : "policy";
  }
  // RFC 5321 §4.2.1: the reply code takes precedence; an enhanced code of another class cannot be trusted.
  if (enhanced !== null) return "message";
  if (code === 556) return "address"; // RFC 7504: the domain does not accept email.
  if (code === 550)
    return stage === "rcpt" && !ourFault.test(text) ? "address" : ourFault.test(text) ? "policy" : "message";
  return code === 551 || code === 552 || code === 553 ? "message" : "policy";
}

const stageFaults: Partial<Record<SmtpFailure["stage"], FaultCode>> = {
  connect: "relay_unreachable",
  tls: "relay_tls_failed",
  auth: "relay_login_failed",
};

/** What went wrong where the relay gave no reply. */
function faultOf({ stage, error, text, fault }: SmtpFailure): Fault {
  if (fault) return fault;
  // Data is stored and logged, so that it must not name a reader.
  const said = withoutAddress(replyText(error ?? text)) || "no reply";
  return { code: stageFaults[stage] ?? "connection_lost", data: { error: said } };
}

/** The relay's reply on one line, or what went wrong without one. */
export function failureText(failure: SmtpFailure): string | Message {
  if (failure.code !== null) return replyLine(failure);
  return failure.fault ? faultText(failure.fault) : replyText(failure.error ?? failure.text) || "no reply";
}

function replyLine({ code, enhanced, text }: SmtpFailure): string {
  return replyText([code, enhanced, text].filter((part) => part !== null && part !== "").join(" "));
}

/** What a verdict says to operators: the reply, or the fault. */
export function verdictText(verdict: Verdict): string | Message {
  return verdict.reply ?? faultText(verdict);
}

function faultText({ code, data }: Fault): string | Message {
  return typeof data?.["error"] === "string" ? data["error"] : { key: `outcome.${code}`, values: data ?? {} };
}

/** A text of the relay or about it, on one line of at most 500 characters. */
export function replyText(text: string): string {
  const line = oneLine(text);
  return line.length > replyLimit ? `${line.slice(0, replyLimit - 1).replace(/[\uD800-\uDBFF]$/, "")}…` : line;
}

/** Parses a reply: joins `250-…` lines and splits off an enhanced status code at the start of the text. */
export function parseReply(raw: string): Pick<SmtpFailure, "code" | "enhanced" | "text"> {
  const lines = raw.split(/\r?\n/).filter((line) => line.trim() !== "");
  const code = Number(/^([2-5]\d\d)(?=[ -]|$)/.exec(lines.at(-1) ?? "")?.[1] ?? Number.NaN);
  const texts = lines.map((line) => line.replace(/^\d{3}(?:[ -]|$)/, ""));
  const enhanced = /^([245]\.\d{1,3}\.\d{1,3})(?=\s|$)/.exec(texts[0] ?? "")?.[1] ?? null;
  const bare = texts.map((text) =>
    enhanced !== null && text.startsWith(enhanced) ? text.slice(enhanced.length) : text,
  );
  return { code: Number.isNaN(code) ? null : code, enhanced, text: replyText(bare.join(" ")) };
}
