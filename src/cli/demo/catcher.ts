import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { simpleParser, type ParsedMail } from "mailparser";
import { SMTPServer } from "smtp-server";

export interface CaughtMail {
  /** Envelope recipient. */
  to: string;
  parsed: ParsedMail;
}

export interface Catcher {
  port: number;
  mails: readonly CaughtMail[];
  stop(): Promise<void>;
}

/** A mail relay on a free local port. It delivers nothing, and stores each email as a file in `folder`. */
export async function catchMail(folder: string): Promise<Catcher> {
  mkdirSync(folder, { recursive: true });
  const mails: CaughtMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, done) {
      keep(session.envelope.rcptTo[0]?.address ?? "").then(() => done(), done);
      async function keep(to: string): Promise<void> {
        const bytes = await buffer(stream);
        mails.push({ to, parsed: await simpleParser(bytes) });
        writeFileSync(join(folder, `${to.replace(/[^\w.@+-]/g, "_")}.${mails.length}.eml`), bytes);
      }
    },
  });
  server.on("error", () => undefined); // The sender reports broken connections.
  const listening = server.listen(0, "127.0.0.1");
  await once(listening, "listening");
  return {
    port: (listening.address() as AddressInfo).port,
    mails,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
