import { buffer } from "node:stream/consumers";
import type { MailMessage, Transport } from "nodemailer";
import { createSmtpCarrier, type SmtpCarrierOptions } from "./smtp-carrier.ts";
import { envelopeFault, type Carrier, type Delivered } from "./transport.ts";
import { verdictText, type SmtpFailure } from "./verdict.ts";

/** What `sendMail` resolves with. */
export interface SentInfo {
  envelope: { from: string; to: string[] };
  messageId: string;
  accepted: string[];
  rejected: string[];
  /** The relay's last reply. */
  response: string;
}

/** As Nodemailer's own transports report a failure, and whether the relay may have taken the message. */
export class SendError extends Error {
  readonly code: string;
  readonly command: string;
  readonly response: string | undefined;
  readonly responseCode: number | undefined;
  readonly bodyEnded: boolean;

  constructor({ verdict, failure }: Delivered) {
    const said = verdictText(verdict);
    super(typeof said === "string" ? said : said.key);
    this.response = verdict.reply ?? undefined;
    this.responseCode = failure?.code ?? undefined;
    this.bodyEnded = failure?.bodyEnded ?? false;
    const stage = failure?.stage ?? "mail";
    this.command = commands[stage];
    this.code = codeOf(stage, verdict.reply !== null, verdict.kind === "rejected");
  }
}

const commands: Readonly<Record<SmtpFailure["stage"], string>> = {
  connect: "CONN",
  tls: "STARTTLS",
  auth: "AUTH",
  mail: "MAIL FROM",
  rcpt: "RCPT TO",
  data: "DATA",
  body: "DATA",
  final: "DATA",
};

function codeOf(stage: SmtpFailure["stage"], answered: boolean, rejected: boolean): string {
  if (stage === "tls") return "ETLS";
  if (stage === "auth") return "EAUTH";
  // Without a reply, only an envelope that the relay has not been asked about is rejected.
  if (!answered) return rejected ? "EENVELOPE" : "ECONNECTION";
  return stage === "final" ? "EMESSAGE" : stage === "connect" ? "EPROTOCOL" : "EENVELOPE";
}

/**
 * Our SMTP connections as a transport for `nodemailer.createTransport`, one message for each recipient. It signs nothing and
 * has no limits, as Dayletter has its own.
 */
export function smtpTransport(options: SmtpCarrierOptions): Transport<SentInfo> {
  return asNodemailerTransport(createSmtpCarrier(options));
}

function asNodemailerTransport(carrier: Carrier): Transport<SentInfo> {
  return {
    name: "Dayletter SMTP",
    version: "1",
    send(mail, done) {
      void handOver(carrier, mail).then(
        (info) => done(null, info),
        (error: SendError) => done(error),
      );
    },
    async verify(done?: (error: Error | null, success?: true) => void) {
      const checked = await carrier.check();
      if (!checked.ok && done === undefined) throw checked.refusal;
      if (checked.ok) done?.(null, true);
      else done?.(checked.refusal);
      return checked.ok;
    },
    close: () => carrier.close(),
  };
}

async function handOver(carrier: Carrier, { message }: MailMessage<SentInfo>): Promise<SentInfo> {
  const envelope = message.getEnvelope();
  const from = envelope.from || "";
  const bytes = await buffer(message.createReadStream());
  const accepted: string[] = [];
  const rejected: string[] = [];
  let response = "";
  let failed: Delivered | null = null;
  for (const to of envelope.to) {
    const fault = envelopeFault({ from, to });
    const delivered = fault === null ? await carrier.deliver({ from, to, message: bytes }) : { verdict: fault };
    if (delivered.verdict.kind === "sent") {
      accepted.push(to);
      response = delivered.verdict.reply;
    } else {
      rejected.push(to);
      failed ??= delivered;
    }
  }
  if (accepted.length === 0 && failed !== null) throw new SendError(failed);
  return { envelope: { from, to: envelope.to }, messageId: message.messageId(), accepted, rejected, response };
}
