import { codeAndText, codesOf, type Codes } from "./codes.ts";
import { decodeWords, textOf, type Entity } from "./entity.ts";
import type { ReadReport } from "./read-report.ts";

const byServer = /mailer-daemon|postmaster|mail delivery (?:sub)?system/i;
const aboutFailure =
  /undeliver|deliver|returned|failure|failed|bounce|rejected|unzustellbar|zustell|zugestellt|실패|반송|전달되지|배달되지/i;
const stillTrying =
  /\bdelay|will (?:be retried|keep trying|continue to try)|no action is required|still being retried|verzögert|지연/i;
/** Exim, qmail and Yahoo begin like this. */
const wellKnown =
  /this message was created automatically by mail delivery software|this is the qmail-send program|sorry, we were unable to deliver your message/i;
const autoReply =
  /out of (?:the )?office|automatic reply|auto(?:matic)?[- ]?(?:reply|response)|abwesen|자동 ?(?:응답|회신)|부재/i;
/** Where the quoted original begins, which can contain anything. */
const original = /^(?:--|==)[^\n]{0,100}(?:copy|original|below|message)/im;
/** Outlook.com's complaints (JMRP) have no part for programs. */
const aboutComplaint = /^complaint about message from /i;
const outlookStaff = /\bstaff@hotmail\.com\b/i;

const longestRead = 20_000;
const longestField = 1_000;

/** Reads a message that has no part for programs, as the servers of large providers wrote them and some still do. */
export function readForPeople({ headers }: Entity, all: readonly Entity[]): ReadReport {
  const subject = decodeWords((headers.get("subject") ?? "").slice(0, longestField));
  const from = decodeWords((headers.get("from") ?? "").slice(0, longestField));
  if (aboutComplaint.test(subject) && outlookStaff.test(from)) return { outcome: "complained" };
  const text = textOf(all).slice(0, longestRead);
  const fromServer = byServer.test(from) && aboutFailure.test(subject);
  const isBounce = headers.has("x-failed-recipients") || wellKnown.test(text) || fromServer;
  if (!isBounce || autoReply.test(subject))
    return { outcome: null, reason: isAutomatic(headers, subject) || isReceipt(all) ? "auto_reply" : "unreadable" };
  const own = text.split(original)[0]!;
  if (stillTrying.test(subject) || stillTrying.test(own)) return { outcome: null, reason: "delayed" };
  const lines = own.split("\n");
  const line = lines.find((one) => codesOf(one).enhanced !== null) ?? lines.find((one) => quotedReply.test(one)) ?? "";
  return { outcome: "bounced", ...codeAndText(...quotedCodes(line), line), guess: true };
}

/** Any number could be a bare reply code, except at the beginning of a line or after these words. */
const quotedReply = /(?:^\s{0,20}|\bsaid: |\breason: |\bresponse: |>: )([45]\d\d)[ -]/i;

function quotedCodes(line: string): [Codes["reply"], Codes["enhanced"]] {
  const { reply, enhanced } = codesOf(line);
  return enhanced === null ? [quotedReply.exec(line)?.[1] ?? null, null] : [reply, enhanced];
}

/** RFC 3834 §5, and what programs did before it. */
function isAutomatic(headers: Entity["headers"], subject: string): boolean {
  const submitted = headers.get("auto-submitted") ?? "no";
  const older = ["x-autoreply", "x-autorespond"].some((name) => headers.has(name));
  return !/^no\b/i.test(submitted) || older || autoReply.test(subject);
}

/** RFC 8098: that somebody has opened the email, or deleted it. */
function isReceipt(all: readonly Entity[]): boolean {
  return all.some(({ type }) => type === "message/disposition-notification");
}
