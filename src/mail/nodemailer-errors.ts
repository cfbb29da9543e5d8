import { parseReply, replyText, type SmtpFailure } from "./verdict.ts";

/** What is known of the errors that Nodemailer's transports, their plugins and the clients of HTTP APIs give. */
interface TransportError {
  message?: unknown;
  name?: unknown;
  code?: unknown;
  command?: unknown;
  response?: unknown;
  responseCode?: unknown;
  originalCode?: unknown;
  syscall?: unknown;
  timeoutType?: unknown;
  statusCode?: unknown;
  status?: unknown;
  $metadata?: { httpStatusCode?: unknown };
  /** A transport that knows whether the message may have been taken can say so. Ours does. */
  bodyEnded?: unknown;
}

/**
 * The failure that an error of a Nodemailer transport stands for, in the words of SMTP, so that `judge` has one set of rules.
 * Where it is not certain that the message was not taken, the final dot may have been sent.
 */
export function failureOfError(thrown: unknown): SmtpFailure {
  const error: TransportError = typeof thrown === "object" && thrown !== null ? thrown : { message: thrown };
  const said = replyText(textOf(error.message) || textOf(error.name) || textOf(error.code));
  const reply = replyIn(error, said);
  if (reply !== null) return { stage: stageOf(error), bodyEnded: true, error: said, ...reply };
  const status = [error.$metadata?.httpStatusCode, error.statusCode, error.status].find(isHttpError);
  if (status !== undefined) return httpFailure(status, textOf(error.name), said);
  const exit = error.code === "ESENDMAIL" ? /exited with code (\d{1,3})/.exec(said)?.[1] : undefined;
  if (exit !== undefined) return exitFailure(Number(exit), said);
  // Addresses and sizes that the library itself refuses.
  if (error.code === "EENVELOPE" || (error.code === "EMESSAGE" && error.command === "MAIL FROM"))
    return answer("data", 554, "5.6.0", said);
  if (error.bodyEnded === false || isBeforeMessage(error)) return notTaken(stageOf(error), said);
  return { ...notTaken("final", said), bodyEnded: true };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function replyIn(error: TransportError, said: string): Pick<SmtpFailure, "code" | "enhanced" | "text"> | null {
  const parsed = parseReply(textOf(error.response));
  if (parsed.code !== null) return parsed;
  const { responseCode } = error;
  return typeof responseCode === "number" && responseCode >= 200 && responseCode < 600
    ? { code: responseCode, enhanced: null, text: said }
    : null;
}

/** The commands as Nodemailer names them. */
const stages: Readonly<Record<string, SmtpFailure["stage"]>> = {
  "MAIL FROM": "mail",
  "RCPT TO": "rcpt",
  STARTTLS: "tls",
  CONN: "connect",
  EHLO: "connect",
  HELO: "connect",
};

function stageOf({ code, command }: TransportError): SmtpFailure["stage"] {
  const named = textOf(command);
  if (named === "DATA") return code === "EMESSAGE" ? "final" : "data";
  if (code === "EAUTH" || code === "ENOAUTH" || code === "EOAUTH2" || named.startsWith("AUTH")) return "auth";
  return code === "ETLS" ? "tls" : (stages[named] ?? "final");
}

/** Codes of Nodemailer for what fails before a message is handed over. ECONNECTION, ESOCKET and ETIMEDOUT can come later. */
const codesBefore = new Set(
  "EDNS EAUTH ENOAUTH EOAUTH2 ETLS EREQUIRETLS EPROXY ECONFIG EMAXRECIPIENTS EFILEACCESS EURLACCESS".split(" "),
);
const timeoutsBefore = new Set(["CONNECT_TIMEOUT", "GREETING_TIMEOUT", "UPGRADE_TIMEOUT"]);

function isBeforeMessage({ code, syscall, timeoutType }: TransportError): boolean {
  // A connection that was never made, a name that was not found, a program that was not started.
  return (
    codesBefore.has(textOf(code)) ||
    timeoutsBefore.has(textOf(timeoutType)) ||
    /^(?:connect|getaddrinfo|spawn)/.test(textOf(syscall))
  );
}

function notTaken(stage: SmtpFailure["stage"], error: string): SmtpFailure {
  return { stage, bodyEnded: false, code: null, enhanced: null, text: "", error };
}

function answer(stage: SmtpFailure["stage"], code: number, enhanced: string | null, text: string): SmtpFailure {
  return { stage, bodyEnded: false, code, enhanced, text, error: text };
}

function isHttpError(status: unknown): status is number {
  return typeof status === "number" && status >= 400 && status < 600;
}

/** Amazon SES's names, which other APIs have copied. */
const throttled = /throttl|too_?many|limit_?exceeded|quota/i;
const senderRefused = /^(?:MessageRejected|MailFromDomainNotVerified)/;
const accountStopped = /^(?:SendingPaused|AccountSuspended)/;

/** A status of 4xx means that the API has not taken the message, one of 5xx that nobody knows. */
function httpFailure(status: number, name: string, said: string): SmtpFailure {
  const text = said.includes(name) || name === "Error" ? said : replyText(`${name}: ${said}`);
  // As SES says it in SMTP.
  if (status === 429 || throttled.test(name))
    return answer("data", 454, null, replyText(`Throttling failure: ${text}`));
  if (status >= 500 || status === 408) return { ...notTaken("final", text), bodyEnded: true };
  if (status === 401 || status === 403 || accountStopped.test(name)) return answer("auth", 535, null, text);
  return answer("data", 554, senderRefused.test(name) ? "5.7.1" : "5.6.0", text);
}

/**
 * Exit codes of sendmail (sysexits.h). 75 (EX_TEMPFAIL) can mean that the message was queued (sendmail(8)), and 74 (EX_IOERR)
 * can come late.
 */
function exitFailure(exit: number, said: string): SmtpFailure {
  if (exit === 67) return answer("rcpt", 550, "5.1.1", said);
  if (exit === 65 || exit === 68) return answer("data", 554, "5.6.0", said);
  if (exit === 74 || exit === 75 || exit < 64) return { ...notTaken("final", said), bodyEnded: true };
  return notTaken("mail", said);
}
