import SMTPConnection from "nodemailer/lib/smtp-connection";
import type { SMTPError } from "nodemailer/lib/smtp-connection";
import { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { isLoopback } from "../config/parse-values.ts";
import { createDialogue, type Dialogue } from "./dialogue.ts";
import { createTransactions, type Transactions } from "./transaction.ts";
import type { Mail } from "./transport.ts";
import { parseReply, type Fault, type SmtpFailure, replyText } from "./verdict.ts";

/** Milliseconds. */
export interface Timeouts {
  /** Name lookup, TCP, greeting, TLS and log-in, together. */
  connect: number;
  /**
   * For each reply before the body, and for each part of the body to be taken. RFC 5321 §4.5.3.2: five minutes for MAIL and
   * RCPT, less for DATA and the parts.
   */
  envelope: number;
  /** For the reply to the final dot. RFC 5321 §4.5.3.2.6: ten minutes; a shorter timeout causes duplicates. */
  final: number;
  /** How long an unused connection stays open. */
  idle: number;
}

export const defaultTimeouts: Timeouts = { connect: 60_000, envelope: 300_000, final: 600_000, idle: 30_000 };

export interface SessionOptions {
  host: string;
  port: number;
  /** Implicit TLS. */
  secure: boolean;
  /** Fail without TLS. */
  requireTls: boolean;
  user: string | null;
  password: string | null;
  /** The client's name in EHLO. Defaults to the host name. */
  name?: string;
  timeouts: Timeouts;
}

/** One connection to the relay. No method throws. */
export interface Session {
  /** Connects, starts TLS and logs in. Resolves with the failure, or null. */
  open(): Promise<SmtpFailure | null>;
  /** Sends one message at a time. Resolves with the relay's reply, or the failure. */
  send(mail: Mail): Promise<{ reply: string } | SmtpFailure>;
  /** Sends QUIT and resolves when the connection is closed, after a second at most. */
  quit(): Promise<void>;
  /** Closes the connection. A message in progress fails, because the service is stopping. */
  cut(): Promise<void>;
  alive(): boolean;
  secured(): boolean;
  /** Known once open. */
  smtputf8(): boolean;
  /** The relay's maximum message size (RFC 1870) in bytes; Infinity if not announced. Known once open. */
  maxBytes(): number;
}

type Done = (error: SMTPError | null | undefined) => void;

/**
 * Nodemailer's `smtp-connection` connects, starts TLS and logs in. Then its socket is taken over: mail transactions are ours
 * (ADR 19). The library still closes the socket, and says when it has been closed.
 */
export function createSession(options: SessionOptions): Session {
  const { timeouts } = options;
  const local = isLoopback(options.host);
  const connection = new SMTPConnection({
    host: options.host,
    port: options.port,
    secure: options.secure,
    requireTLS: options.requireTls && !options.secure,
    name: options.name,
    // A relay on this machine does not need a valid certificate.
    tls: { rejectUnauthorized: !local },
    connectionTimeout: timeouts.connect,
    greetingTimeout: timeouts.connect,
    // Only for what our own timers do not cover.
    socketTimeout: timeouts.final + timeouts.envelope,
    socketCloseTimeout: 0,
  });
  /** What the relay offers (RFC 5321 §4.1.1.1): names in upper case, and their parameters. */
  let extensions: ReadonlyMap<string, string> = new Map();
  /** While the library has the socket: fails the step in progress. */
  let failStep: ((error: SMTPError | Fault) => void) | null = null;
  let dialogue: Dialogue | null = null;
  let transactions: Transactions | null = null;
  let busy = false;
  connection.on("error", (error: SMTPError) => {
    failStep?.(error);
    dialogue?.end(new Error(messageOf(error)));
  });
  connection.on("end", () => {
    dialogue?.end({ code: "connection_closed" });
    // The library emits "end" before it passes on the last reply, so that reply is awaited first.
    setImmediate(() => failStep?.({ code: "connection_closed" }));
  });

  /** Runs one step of the library until it calls back, the connection fails, or too much time has passed. */
  function step(run: (done: Done) => void): Promise<SMTPError | Fault | null> {
    const limit = timeouts.connect;
    return new Promise((resolve) => {
      const over = (error: SMTPError | Fault | null): void => {
        clearTimeout(timer);
        failStep = null;
        resolve(error);
      };
      const timer = setTimeout(() => {
        over(timeout(limit));
        connection.close();
      }, limit);
      failStep = over;
      run((error) => over(error ?? null));
    });
  }

  async function open(): Promise<SmtpFailure | null> {
    const unconnected = await step((done) => connection.connect(done));
    if (unconnected) return closed(unconnected, connection.upgrading ? "tls" : "connect");
    // The library calls back during the reply to EHLO.
    extensions = extensionsIn(connection.lastServerResponse || "");
    if (options.requireTls && !connection.secure) return closed({ code: "not_encrypted" }, "tls");
    const { user, password } = options;
    if (user !== null) {
      if (!connection.secure && !local) return closed({ code: "not_encrypted" }, "auth");
      if (!connection.allowsAuth) return closed({ code: "auth_not_offered" }, "auth");
      const auth = { user, pass: password ?? "" };
      const refused = await step((done) => connection.login(auth, (error) => done(error)));
      if (refused) return closed(refused, "auth");
    }
    return takeOver();
  }

  /** From here on the replies are read by `dialogue` and no longer by the library. */
  async function takeOver(): Promise<SmtpFailure | null> {
    const socket = socketOf(connection);
    // Until then the library looks at what came with the last reply, and closes the connection if that was too much.
    await step((done) => void turn().then(() => done(null)));
    if (connection.destroyed) return closed({ code: "replies_out_of_step" }, "connect");
    if (socket === null) throw new Error("nodemailer/lib/smtp-connection has no socket");
    socket.removeAllListeners("data");
    dialogue = createDialogue(socket, {
      late: (ms) => void end(timeout(ms)),
      unasked: () => busy || void end({ code: "replies_out_of_step" }),
      endless: () => void end({ code: "reply_too_long" }),
    });
    const abilities = { pipelining: extensions.has("PIPELINING"), size: extensions.has("SIZE") };
    transactions = createTransactions(socket, dialogue, abilities, timeouts);
    return null;
  }

  function closed(error: SMTPError | Fault, stage: "connect" | "tls" | "auth"): SmtpFailure {
    connection.close();
    return failureOf(error, stage);
  }

  /** Closes the connection, but not before it is certain whether a message may have been sent. */
  async function end(fault: Fault): Promise<void> {
    failStep?.(fault);
    await transactions?.dotCertain();
    dialogue?.end(fault);
    connection.close();
  }

  return {
    open,
    async send(mail) {
      if (transactions === null) throw new Error("the connection is not open");
      busy = true;
      const { outcome, broken } = await transactions.send(mail);
      busy = false;
      if (broken) connection.close();
      return outcome;
    },
    cut: () => end({ code: "service_stopping" }),
    async quit() {
      if (connection.destroyed) return;
      if (dialogue !== null) {
        busy = true;
        dialogue.say("QUIT\r\n", 1);
        await dialogue.reply(goodbyeMs).catch(() => undefined);
      }
      connection.close();
    },
    alive: () => !connection.destroyed,
    secured: () => connection.secure,
    smtputf8: () => extensions.has("SMTPUTF8"),
    maxBytes: () => Number(extensions.get("SIZE") ?? 0) || Infinity,
  };
}

/** The library's socket: its types call it public. */
export function socketOf({ _socket: socket }: SMTPConnection): Socket | null {
  return socket instanceof Socket ? socket : null;
}

/** The first line only greets. */
function extensionsIn(reply: string): Map<string, string> {
  const lines = reply.split("\n").slice(1);
  return new Map(
    lines.map((line) => {
      const [name = "", ...parameters] = line.slice(4).trim().split(/\s+/);
      return [name.toUpperCase(), parameters.join(" ")];
    }),
  );
}

const goodbyeMs = 1_000;

function timeout(ms: number): Fault {
  return { code: "timeout", data: { seconds: Math.round(ms / 1000) } };
}

/** A failure before the first message. */
function failureOf(error: SMTPError | Fault, stage: "connect" | "tls" | "auth"): SmtpFailure {
  const failure = { bodyEnded: false, code: null, enhanced: null, text: "", error: null };
  if (!(error instanceof Error)) return { ...failure, stage, fault: error };
  const tls = error.command === "STARTTLS" || error.code === "ETLS" || isCertificate(error);
  return { ...failure, ...parseReply(error.response ?? ""), stage: tls ? "tls" : stage, error: messageOf(error) };
}

/** If several addresses of a host were tried, Node leaves the message empty. */
function messageOf(error: SMTPError): string {
  return replyText(error.message || error.originalCode || error.code || "unknown error");
}

function isCertificate(error: SMTPError): boolean {
  return /CERT|TLS|SSL|ALTNAME|SELF_SIGNED/.test(`${error.originalCode ?? ""} ${error.message}`);
}
