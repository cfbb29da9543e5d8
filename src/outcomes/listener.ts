import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Readable } from "node:stream";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { SMTPServer, SMTPServerSession } from "smtp-server";
import { reasonOf, Refusal } from "../base/errors.ts";
import { readReturnPath, readUnsubscribeAddress } from "../mail/return-path.ts";
import { receiveEmail, type ReceiveDeps } from "./receive.ts";

export interface ListenAt {
  protocol: "smtp" | "lmtp";
  host: string;
  port: number;
}

export interface BounceListener {
  port: number;
  close(): Promise<void>;
}

/** Bounces quote the original, which has at most about 100 kB; RFC 5321 §4.5.3.1.7 asks for 64 kB at least. */
const longestMessage = 1_000_000;
const mostClients = 60;
/** For each network address, except with LMTP, so that one cannot keep all others out. Postfix opens so many by default. */
const mostOfOneClient = 20;
const silentMs = 60_000;
/** A bounce is for one email. */
const mostRecipients = 10;
/** For each network address, except with LMTP. A client that is refused with a 4xx reply retries later. */
const messagesPerSecond = 50;
const wrongRecipientsPerMinute = 20;

/**
 * Receives bounces, complaints and requests to unsubscribe by SMTP, or by LMTP (RFC 2033) from a mail server that has received them. It
 * accepts only addresses that this publication has made, and answers only when what they say is recorded, so that an email that could
 * not be recorded comes again.
 * @throws Refusal 409 if the port cannot be used
 */
export async function openBounceListener(
  deps: ReceiveDeps,
  { protocol, host, port, bounceAddress }: ListenAt & { bounceAddress: string },
): Promise<BounceListener> {
  const { log, options } = deps;
  const path = { secret: options.secret, bounceAddress };
  const messages = new RateLimiterMemory({ points: messagesPerSecond, duration: 1 });
  const wrong = new RateLimiterMemory({ points: wrongRecipientsPerMinute, duration: 60 });
  const lmtp = protocol === "lmtp";
  const { SMTPServer: Server } = await import("smtp-server");
  const server: SMTPServer = new Server({
    lmtp,
    banner: "Dayletter",
    disabledCommands: ["AUTH", "STARTTLS"],
    authOptional: true,
    disableReverseLookup: true,
    size: longestMessage,
    maxClients: mostClients,
    socketTimeout: silentMs,
    closeTimeout: 1_000,
    logger: false,
    onConnect({ remoteAddress }, done) {
      const same = [...server.connections].filter((one) => one.remoteAddress === remoteAddress);
      if (!lmtp && same.length > mostOfOneClient) return done(refusal(421, "4.7.0 Too many connections"));
      const tried = (wrong.get(remoteAddress) as Promise<{ consumedPoints: number } | null>).catch(() => null);
      void tried.then((one) =>
        done(one && one.consumedPoints > wrongRecipientsPerMinute ? refusal(421, "4.7.0 Try again later") : null),
      );
    },
    onRcptTo({ address }, { remoteAddress, envelope }, done) {
      if (readReturnPath(path, address) === null && readUnsubscribeAddress(path, address) === null) {
        const answer = (code: number, text: string) => () => done(refusal(code, text));
        // A mail server hands over what it got from everybody.
        if (lmtp) answer(550, "5.1.1 No such address")();
        else
          wrong.consume(remoteAddress).then(answer(550, "5.1.1 No such address"), answer(421, "4.7.0 Try again later"));
      } else done(envelope.rcptTo.length < mostRecipients ? null : refusal(452, "4.5.3 Too many recipients"));
    },
    onData(stream, session, done) {
      receive(stream, session).then(
        () => done(),
        (error: unknown) => {
          if (!(error instanceof ReplyError)) log.error({ reason: reasonOf(error) }, "bounce could not be recorded");
          done(error instanceof ReplyError ? error : refusal(451, "4.3.0 Try again later"));
        },
      );
    },
  });

  async function receive(stream: Readable & { sizeExceeded?: boolean }, session: SMTPServerSession): Promise<void> {
    const raw = await collect(stream);
    if (raw === null) throw refusal(552, "5.3.4 Message too large");
    if (!lmtp)
      await messages.consume(session.remoteAddress).catch(() => {
        throw refusal(450, "4.7.0 Try again later");
      });
    const { rcptTo, mailFrom } = session.envelope;
    const sender = mailFrom ? mailFrom.address : null;
    const addresses = rcptTo.map(({ address }) => address);
    await receiveEmail(deps, { raw, addresses, sender, source: "listener" });
  }

  server.on("error", (error) => log.debug({ reason: reasonOf(error) }, "connection to the bounce listener failed"));
  const listening = server.listen(port, host);
  try {
    await once(listening, "listening");
  } catch (error) {
    throw new Refusal(409, "bounce_port_unusable", { host, port, reason: reasonOf(error) });
  }
  const { port: actual } = listening.address() as AddressInfo;
  log.info({ protocol, host, port: actual }, "listening for bounces");
  return { port: actual, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** null if it is too large; then it is read to its end and thrown away. */
async function collect(stream: Readable & { sizeExceeded?: boolean }): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= longestMessage) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > longestMessage ? null : Buffer.concat(chunks);
}

/** A reply of SMTP, as smtp-server takes it. */
class ReplyError extends Error {
  override readonly name = "ReplyError";
  readonly responseCode: number;

  constructor(code: number, text: string) {
    super(text);
    this.responseCode = code;
  }
}

function refusal(code: number, text: string): ReplyError {
  return new ReplyError(code, text);
}
