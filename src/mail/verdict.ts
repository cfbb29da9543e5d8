/** What became of one attempt to hand a mail to the relay. `reply` is one line for the ledger and for people. */
export type Verdict =
  | { kind: "sent"; reply: string }
  /** `relay`: trouble that is not this reader's, so that others would meet it too. `quietMs`: leave the relay alone. */
  | { kind: "deferred"; scope: "address" | "relay"; reply: string; quietMs?: number }
  /** `address`: there is no such mailbox. `policy`: our fault, never the reader's. `message`: this mail only. */
  | { kind: "rejected"; scope: "address" | "policy" | "message"; reply: string }
  /** The final dot may have gone out and no answer came. */
  | { kind: "unknown"; reply: string };

export interface SmtpFailure {
  /** What was being done; `body` from the answer to DATA on, `final` for the answer to the final dot. */
  stage: "connect" | "tls" | "auth" | "mail" | "rcpt" | "data" | "body" | "final";
  /** Whether the final dot may have left. */
  bodyEnded: boolean;
  /** Reply code, null where no reply came. */
  code: number | null;
  /** Enhanced status code (RFC 3463), such as "5.1.1". */
  enhanced: string | null;
  /** The reply's text without the codes; empty where no reply came. */
  text: string;
  /** What went wrong on our side of the line: a timeout, a refused connection, a certificate. */
  error: string | null;
}

const replyLimit = 500;

/** Gmail, 421 4.7.28: be silent for ten minutes, then begin again with one connection (support.google.com/a/answer/81126). */
const tooFastQuietMs = 10 * 60_000;

/** RFC 3463 with RFC 7504 and RFC 7505: there is no such mailbox or mail domain. 5.7.17/18: the mailbox changed hands. */
const noSuchAddress = new Set(["1.1", "1.2", "1.3", "1.6", "1.10", "7.17", "7.18"]);

/** This mail or this mailbox for now: disabled or full mailbox, too big, routing, content that cannot be taken. */
const thisMail = /^(?:1\.(?:0|4|5|9)|2\.\d+|3\.4|4\.(?!5$)\d+|6\.\d+|7\.13|0\.0)$/;

/** Words of a bare 550 that speak of us and not of the mailbox. */
const ourFault =
  /relay|spam|block|black|bann|polic|spf|dkim|dmarc|reputation|denied|authentic|\brate\b|limit|sender|verify|reverse|\bptr\b|helo|listed/i;

/**
 * What a failed attempt means, by the relay's reply first (RFC 5321 §4.2.1, RFC 3463), by how far it got otherwise. Only
 * a reply that clearly speaks of the mailbox counts against the address: a relay that refuses us must not empty the list.
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

/** Authentication wanted or refused (RFC 4954 §6), or commands out of step: the next connection may do better. */
const relayOnly = new Set([503, 530, 534, 535, 538]);

function deferral(failure: SmtpFailure, reply: string): Verdict {
  const { stage, code, enhanced } = failure;
  if (enhanced === "4.7.28") return { kind: "deferred", scope: "relay", reply, quietMs: tooFastQuietMs };
  // Before RCPT TO no reader has been named. 421: the relay is closing; 454: not now (TLS, AUTH, a rate at Amazon SES).
  const beforeReader = stage === "connect" || stage === "tls" || stage === "auth" || stage === "mail";
  const relay = beforeReader || code === 421 || code === 454 || enhanced === "4.3.1" || enhanced === "4.3.2";
  return { kind: "deferred", scope: relay ? "relay" : "address", reply };
}

function rejection(failure: SmtpFailure, code: number): "address" | "policy" | "message" {
  const { stage, enhanced, text } = failure;
  const detail = enhanced?.startsWith("5.") ? enhanced.slice(2) : null;
  // The sender and the size are all that MAIL FROM names.
  if (stage === "mail") return detail === "3.4" || code === 552 ? "message" : "policy";
  if (detail !== null) {
    if (noSuchAddress.has(detail)) return "address";
    return thisMail.test(detail) ? "message" : "policy";
  }
  // RFC 5321 §4.2.1: the code rules; a status of another class says nothing that can be trusted.
  if (enhanced !== null) return "message";
  if (code === 556) return "address"; // RFC 7504: the domain takes no mail.
  if (code === 550)
    return stage === "rcpt" && !ourFault.test(text) ? "address" : ourFault.test(text) ? "policy" : "message";
  return code === 551 || code === 552 || code === 553 ? "message" : "policy";
}

/** The reply as the relay gave it, or what went wrong, on one line without control characters. */
export function replyLine(failure: Pick<SmtpFailure, "code" | "enhanced" | "text" | "error">): string {
  const said = [failure.code, failure.enhanced, failure.text].filter((part) => part !== null && part !== "").join(" ");
  return oneLine(failure.code === null ? (failure.error ?? said) : said) || "no answer";
}

/** Any text on one line of at most 500 characters, without control characters. */
export function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > replyLimit ? `${line.slice(0, replyLimit - 1).replace(/[\uD800-\uDBFF]$/, "")}…` : line;
}

/** Takes a reply apart: `250-…` lines are joined, and an enhanced status code at the start of the text is split off. */
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
