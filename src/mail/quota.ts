import type { SmtpFailure } from "./verdict.ts";

/** `rate`: too many messages at once. The others: the allowance of a period, or of the account, is used up. */
export type QuotaPeriod = "hour" | "day" | "account";
export interface RelayQuota {
  kind: "rate" | QuotaPeriod;
  /** When the relay says that the quota is back, as it says it. */
  until: Date | null;
  /** Otherwise when to try again with one message, in milliseconds; 0 for a rate. */
  retryMs: number;
}

const minute = 60_000;
const hour = 60 * minute;

interface KnownReply {
  kind: RelayQuota["kind"];
  code: number;
  /** The whole sentence that only the relay says, with what may vary left open. */
  text: RegExp;
  retryMs: number;
}

/**
 * How relays say that this account has used up what it may send. Postmark and Brevo say nothing: they accept and keep the
 * messages (postmarkapp.com/support/article/936, help.brevo.com "Troubleshooting issues with the SMTP").
 *
 * - Amazon SES, docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html, which advises waiting up to 10 minutes:
 *   `454 Throttling failure: Maximum sending rate exceeded`, `454 Throttling failure: Daily message quota exceeded`
 * - Mailgun, at DATA (github.com/coopdevs/timeoverflow/issues/820): `421 Domain example.org is not allowed to send: recipient
 *   limit exceeded, try again after Sun, 05 Oct 2025 19:22:44 UTC`
 * - SendGrid, at AUTH (twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting): `451
 *   Authentication failed: Maximum credits exceeded`; the credits of a free plan are back at midnight UTC
 * - MailerSend (github.com/geeksforsocialchange/PlaceCal/issues/2297): `450 Your account reached its email quota limit.
 *   Contact support to increase it. #MS42204`
 * - Gmail and Google Workspace as the relay, support.google.com/a/answer/3726730: `550 5.4.5 Daily user sending limit
 *   exceeded`, `550 5.4.5 Daily SMTP relay sending limit exceeded for customer`; the quota is that of the last 24 hours
 * - Exchange Online as the relay, learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements:
 *   `554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException`
 *
 * A receiver's reply that a relay passes on says other things: that a mailbox is over quota (`452 4.2.2`), that a user gets
 * mail too fast (`450 4.2.1`), that it defers this sender (`421 4.7.28`). So a reply must match a sentence and its code.
 */
const knownReplies: readonly KnownReply[] = [
  { kind: "rate", code: 454, text: /^Throttling failure: Maximum sending rate exceeded\b/i, retryMs: 0 },
  { kind: "day", code: 454, text: /^Throttling failure: Daily message quota exceeded\b/i, retryMs: 10 * minute },
  {
    kind: "hour",
    code: 421,
    text: /^Domain \S+ is not allowed to send: recipient limit exceeded\b/i,
    retryMs: hour,
  },
  { kind: "account", code: 451, text: /^Authentication failed: Maximum credits exceeded\b/i, retryMs: hour },
  { kind: "account", code: 450, text: /^Your account reached its email quota limit\b/i, retryMs: hour },
  {
    kind: "day",
    code: 550,
    text: /^Daily (?:user|SMTP relay) sending (?:limit|quota) exceeded\b/i,
    retryMs: hour,
  },
  {
    kind: "day",
    code: 554,
    text: /^STOREDRV\.Submission\.Exception:SubmissionQuotaExceededException\b/i,
    retryMs: hour,
  },
];

/** The time in "try again after Sun, 05 Oct 2025 19:22:44 UTC". */
const tryAgainAfter = /\btry again after ((?:\w{3}, )?\d{1,2} \w{3} \d{4} \d{2}:\d{2}:\d{2} (?:UTC|GMT))/i;

/** The relay's quota that a reply says is used up; null for every other reply, those of receivers included. */
export function relayQuota({ code, text }: Pick<SmtpFailure, "code" | "text">): RelayQuota | null {
  const known = knownReplies.find((one) => one.code === code && one.text.test(text));
  if (!known) return null;
  const { kind, retryMs } = known;
  const time = tryAgainAfter.exec(text)?.[1];
  const until = time === undefined ? Number.NaN : Date.parse(time);
  return { kind, retryMs, until: Number.isNaN(until) ? null : new Date(until) };
}

/** A time that a relay names is believed within these limits; clocks differ, and relays err. */
const shortestMs = minute;
const longestMs = 24 * hour;

/** How long to wait for the quota, in milliseconds; 0 for a rate. @param now of this machine's clock */
export function quotaPauseMs({ until, retryMs }: RelayQuota, now: Date): number {
  if (until === null) return retryMs;
  return Math.min(longestMs, Math.max(shortestMs, until.getTime() - now.getTime()));
}
