import type { SMTPError } from "nodemailer/lib/smtp-connection";
import { oneLine, parseReply, type SmtpFailure } from "./verdict.ts";

/** Which step a reply was to, where the library says so. */
const stages: Record<string, SmtpFailure["stage"]> = { "MAIL FROM": "mail", "RCPT TO": "rcpt", STARTTLS: "tls" };

/**
 * What the library says went wrong, as the verdict takes it.
 * @param stage where the reply does not tell to which step it was
 */
export function failureOf(error: SMTPError, stage: SmtpFailure["stage"], bodyEnded: boolean): SmtpFailure {
  const reply = parseReply(error.response ?? "");
  const answered =
    error.command === "DATA" ? (error.code === "EMESSAGE" ? "final" : "data") : stages[error.command ?? ""];
  return { stage: answered ?? stage, bodyEnded, ...reply, error: messageOf(error) };
}

/** A connection that cannot even be reset says nothing about the next mail. */
export function unanswered(error: SMTPError): SmtpFailure {
  return { stage: "mail", bodyEnded: false, code: null, enhanced: null, text: "", error: messageOf(error) };
}

/** Where several addresses of a host were tried, Node leaves the message empty. */
function messageOf(error: SMTPError): string {
  return oneLine(error.message || error.originalCode || error.code || "unknown error");
}

export function isCertificate(error: SMTPError): boolean {
  return /CERT|TLS|SSL|ALTNAME|SELF_SIGNED/.test(`${error.originalCode ?? ""} ${error.message}`);
}
