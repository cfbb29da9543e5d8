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
  /** TLS from the first byte. */
  secure: boolean;
  /** Refuse to go on without TLS. */
  requireTls: boolean;
  user: string | null;
  password: string | null;
  /** Our name in EHLO; this machine's unless given. */
  name?: string;
  timeouts: Timeouts;
}

/** One connection to the relay. No method throws. */
export interface Session {
  /** Connects, secures and logs in. Resolves with what went wrong, or null. */
  open(): Promise<SmtpFailure | null>;
  /** Sends one mail at a time. Resolves with the relay's answer, or what went wrong. */
  send(mail: Mail): Promise<{ reply: string } | SmtpFailure>;
  /** Says goodbye and resolves when the connection is gone, a second later at most. */
  quit(): Promise<void>;
  /** Ends the connection now; what is under way fails with `why`. */
  cut(why: string): void;
  alive(): boolean;
  secured(): boolean;
  /** Known once open. */
  smtputf8(): boolean;
  /** Largest message the relay takes (RFC 1870), in bytes; Infinity when it did not say. Known once open. */
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
    // A certificate says nothing about a relay on this machine.
    tls: { rejectUnauthorized: !local },
    connectionTimeout: timeouts.connect,
    greetingTimeout: timeouts.connect,
    // Only what our own timers miss.
    socketTimeout: timeouts.final + timeouts.envelope,
    socketCloseTimeout: 0,
  });
  let ehlo = "";
  let untidy = false;
  /** First digit of what the relay answers to DATA: a 3 (RFC 5321 §4.1.1.4), or the 2 that a few say instead. */
  let goAhead: string | null = null;
  let failStep: ((error: SMTPError) => void) | null = null;
  connection.on("error", (error: SMTPError) => failStep?.(error));
  // The library ends a connection before it hands over the reply that ended it: let that come first.
  connection.on("end", () => setImmediate(() => failStep?.(new Error("the connection closed without an answer"))));

  /** Runs one step until it calls back, the connection fails, or `limit` is over. */
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
    return setTimeout(() => cut(`no answer for ${Math.round(ms / 1000)} s`), ms);
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
    // The library calls back inside the reply to EHLO.
    ehlo = connection.lastServerResponse || "";
    if (options.requireTls && !connection.secure) return closed(new Error("the connection is not encrypted"), "tls");
    if (options.user === null) return null;
    const { user, password } = options;
    if (!connection.secure && !local) {
      return closed(new Error("the connection is not encrypted, so the password is not sent"), "auth");
    }
    if (!connection.allowsAuth) return closed(new Error("it takes no user name and password (no AUTH)"), "auth");
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
      // In pieces, so that it ends only when nearly all is in the hands of the operating system.
      const body = new Readable({
        read() {
          if (!begun && !inStep()) return cut("the relay's answers are out of step with our commands");
          begun = true;
          body.push(at < mail.message.length ? mail.message.subarray(at, (at += pieceBytes)) : null);
        },
      });
      // The dot follows the end of this stream, so until then it cannot have left.
      body.once("end", () => {
        bodyEnded = true;
        restart(timeouts.final);
      });
      const envelope = { from: mail.from, to: mail.to, size: mail.message.length };
      connection.send(envelope, body, (error, info) => done(error, error ? "" : info.response));
    });
    if ("error" in outcome) {
      // Who answers before the dot may answer once more after it, and the next mail would take that for its own.
      if (begun) connection.close();
      untidy = true;
      return failureOf(outcome.error, bodyEnded ? "final" : begun ? "body" : "mail", bodyEnded);
    }
    if (bodyEnded) return { reply: oneLine(outcome.reply) };
    connection.close();
    return failureOf(new Error("it answered before the mail was complete"), "body", false);
  }

  /** An answer too many makes every later one look like that to the command after it: what was refused would be sent. */
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
