/** The result of one attempt to send a message. `reply` is one line for the ledger and for people. */
export type Verdict =
  | { kind: "sent"; reply: string }
  /** `relay`: the failure would affect other readers too. `quietMs`: send nothing to the relay for this time. */
  | { kind: "deferred"; scope: "address" | "relay"; reply: string; quietMs?: number }
  /** `address`: no such mailbox. `policy`: the relay refuses this sender. `message`: only this message is affected. */
  | { kind: "rejected"; scope: "address" | "policy" | "message"; reply: string }
  /** The final dot may have been sent and no reply came. */
  | { kind: "unknown"; reply: string };

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
  /** The local error, such as a timeout, a refused connection or an invalid certificate. */
  error: string | null;
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
  const reply = replyLine(failure);
  const { code, stage } = failure;
  if (code === null || code < 400 || code > 599) {
    return failure.bodyEnded ? { kind: "unknown", reply } : { kind: "deferred", scope: "relay", reply };
  }
  if (code < 500) return deferral(failure, reply);
  if (stage === "connect" || stage === "tls" || stage === "auth" || relayOnly.has(code)) {
    return { kind: "deferred", scope: "relay", reply };
  }
  return { kind: "rejected", scope: rejection(failure, code), reply };
}

/** Authentication required or failed (RFC 4954 §6), or a wrong sequence of commands: a new connection may work. */
const relayOnly = new Set([503, 530, 534, 535, 538]);

function deferral(failure: SmtpFailure, reply: string): Verdict {
  const { stage, code, enhanced } = failure;
  if (enhanced === "4.7.28") return { kind: "deferred", scope: "relay", reply, quietMs: tooFastQuietMs };
  // Before RCPT TO the relay does not know the reader. 421: shutting down; 454: temporary (TLS, AUTH, Amazon SES's rate).
  const beforeReader = stage === "connect" || stage === "tls" || stage === "auth" || stage === "mail";
  const relay = beforeReader || code === 421 || code === 454 || enhanced === "4.3.1" || enhanced === "4.3.2";
  return { kind: "deferred", scope: relay ? "relay" : "address", reply };
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

/** The relay's reply or the local error, on one line without control characters. */
export function replyLine(failure: Pick<SmtpFailure, "code" | "enhanced" | "text" | "error">): string {
  const said = [failure.code, failure.enhanced, failure.text].filter((part) => part !== null && part !== "").join(" ");
  return oneLine(failure.code === null ? (failure.error ?? said) : said) || "no reply";
}

/** Any text on one line of at most 500 characters, without control characters. */
export function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
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
  return { code: Number.isNaN(code) ? null : code, enhanced, text: oneLine(bare.join(" ")) };
}
