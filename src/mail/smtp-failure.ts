import type { SMTPError } from "nodemailer/lib/smtp-connection";
import { oneLine, parseReply, type SmtpFailure } from "./verdict.ts";

/** The stage of the command that a reply belongs to, if the library names it. */
const stages: Record<string, SmtpFailure["stage"]> = { "MAIL FROM": "mail", "RCPT TO": "rcpt", STARTTLS: "tls" };

/**
 * Converts an error of the library.
 * @param stage used if the error does not name the command
 */
export function failureOf(error: SMTPError, stage: SmtpFailure["stage"], bodyEnded: boolean): SmtpFailure {
  const reply = parseReply(error.response ?? "");
  const answered =
    error.command === "DATA" ? (error.code === "EMESSAGE" ? "final" : "data") : stages[error.command ?? ""];
  return { stage: answered ?? stage, bodyEnded, ...reply, error: messageOf(error) };
}

/** A failed RSET says nothing about the next message. */
export function unanswered(error: SMTPError): SmtpFailure {
  return { stage: "mail", bodyEnded: false, code: null, enhanced: null, text: "", error: messageOf(error) };
}

/** If several addresses of a host were tried, Node leaves the message empty. */
function messageOf(error: SMTPError): string {
  return oneLine(error.message || error.originalCode || error.code || "unknown error");
}

export function isCertificate(error: SMTPError): boolean {
  return /CERT|TLS|SSL|ALTNAME|SELF_SIGNED/.test(`${error.originalCode ?? ""} ${error.message}`);
}
