import { Readable } from "node:stream";
import SMTPConnection, { type SMTPError } from "nodemailer/lib/smtp-connection";
import { isLoopback } from "../config/readers.ts";
import type { Timeouts } from "./timeouts.ts";
import type { Mail } from "./transport.ts";
import { failureOf, isCertificate, unanswered } from "./smtp-failure.ts";
import { oneLine, type SmtpFailure } from "./verdict.ts";

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
  /** Closes the connection at once. A message in progress fails with `why`. */
  cut(why: string): void;
  alive(): boolean;
  secured(): boolean;
  /** Known once open. */
  smtputf8(): boolean;
  /** The relay's maximum message size (RFC 1870) in bytes; Infinity if not announced. Known once open. */
  maxBytes(): number;
}

const pieceBytes = 65_536;

type Ended = { error: SMTPError } | { reply: string };
type Done = (error: SMTPError | null | undefined, reply?: string) => void;

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
  let ehlo = "";
  let untidy = false;
  /** First digit of the reply to DATA: 3 (RFC 5321 §4.1.1.4), or 2 from a few relays. */
  let goAhead: string | null = null;
  let failStep: ((error: SMTPError) => void) | null = null;
  connection.on("error", (error: SMTPError) => failStep?.(error));
  // The library emits "end" before it passes on the last reply, so that reply is awaited first.
  connection.on("end", () =>
    setImmediate(() => failStep?.(new Error("the relay closed the connection without a reply"))),
  );

  /** Runs one step until it calls back, the connection fails, or `limit` milliseconds have passed. */
  function step(limit: number, run: (done: Done, restart: (limit: number) => void) => void): Promise<Ended> {
    return new Promise((resolve) => {
      let timer = expire(limit);
      const end = (outcome: Ended): void => {
        clearTimeout(timer);
        failStep = null;
        resolve(outcome);
      };
      failStep = (error) => end({ error });
      run(
        (error, reply = "") => end(error ? { error } : { reply }),
        (ms) => {
          clearTimeout(timer);
          timer = expire(ms);
        },
      );
    });
  }

  function expire(ms: number): NodeJS.Timeout {
    return setTimeout(() => cut(`timeout: no reply for ${Math.round(ms / 1000)} s`), ms);
  }

  function cut(why: string): void {
    const fail = failStep;
    failStep = null;
    connection.close();
    fail?.(new Error(why));
  }

  async function open(): Promise<SmtpFailure | null> {
    const connected = await step(timeouts.connect, (done) => connection.connect(done));
    if ("error" in connected) return closed(connected.error, connection.upgrading ? "tls" : "connect");
    // The library calls back during the reply to EHLO.
    ehlo = connection.lastServerResponse || "";
    if (options.requireTls && !connection.secure) return closed(new Error("the connection is not encrypted"), "tls");
    if (options.user === null) return null;
    const { user, password } = options;
    if (!connection.secure && !local) {
      return closed(new Error("the connection is not encrypted, so the password is not sent"), "auth");
    }
    if (!connection.allowsAuth) return closed(new Error("the relay does not offer AUTH"), "auth");
    const auth = { user, pass: password ?? "" };
    const loggedIn = await step(timeouts.connect, (done) => connection.login(auth, (error) => done(error)));
    return "error" in loggedIn ? closed(loggedIn.error, "auth") : null;
  }

  function closed(error: SMTPError, stage: "connect" | "tls" | "auth"): SmtpFailure {
    connection.close();
    return failureOf(error, error.code === "ETLS" || isCertificate(error) ? "tls" : stage, false);
  }

  async function send(mail: Mail): Promise<{ reply: string } | SmtpFailure> {
    if (untidy) {
      const reset = await step(timeouts.envelope, (done) => connection.reset((error) => done(error)));
      if ("error" in reset) {
        connection.close();
        return unanswered(reset.error);
      }
      untidy = false;
    }
    let begun = false;
    let bodyEnded = false;
    const outcome = await step(timeouts.envelope, (done, restart) => {
      let at = 0;
      // In pieces, so that the stream ends only when nearly all bytes have been passed to the operating system.
      const body = new Readable({
        read() {
          if (!begun && !inStep()) return cut("the relay's replies are out of sync with the commands");
          begun = true;
          body.push(at < mail.message.length ? mail.message.subarray(at, (at += pieceBytes)) : null);
        },
      });
      // The final dot follows the end of this stream, so it cannot have been sent before.
      body.once("end", () => {
        bodyEnded = true;
        restart(timeouts.final);
      });
      const envelope = { from: mail.from, to: mail.to, size: mail.message.length };
      connection.send(envelope, body, (error, info) => done(error, error ? "" : info.response));
    });
    if ("error" in outcome) {
      // A relay that replies before the final dot can reply again after it, and the next message would get that reply.
      if (begun) connection.close();
      untidy = true;
      return failureOf(outcome.error, bodyEnded ? "final" : begun ? "body" : "mail", bodyEnded);
    }
    if (bodyEnded) return { reply: oneLine(outcome.reply) };
    connection.close();
    return failureOf(new Error("the relay replied before the message was complete"), "body", false);
  }

  /** After one extra reply, every later reply belongs to the wrong command, and a rejected message would count as sent. */
  function inStep(): boolean {
    const answer = String(connection.lastServerResponse).charAt(0);
    goAhead ??= answer;
    return answer === goAhead;
  }

  return {
    open,
    send,
    cut,
    async quit() {
      if (connection.destroyed) return;
      await step(1_000, (done) => {
        connection.once("end", () => done(null));
        connection.quit();
      });
      connection.close();
    },
    alive: () => !connection.destroyed,
    secured: () => connection.secure,
    smtputf8: () => /^250[ -]SMTPUTF8\b/im.test(ehlo),
    maxBytes: () => Number(/^250[ -]SIZE\s+(\d+)/im.exec(ehlo)?.[1] ?? 0) || Infinity,
  };
}
