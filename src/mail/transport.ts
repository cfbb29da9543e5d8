import type { Verdict } from "./verdict.ts";

export { createSmtpTransport, type SmtpOptions } from "./smtp.ts";
export { createOutboxTransport } from "./outbox.ts";

/** One message to one reader. */
export interface Mail {
  /** Envelope sender. */
  from: string;
  /** Envelope recipient. */
  to: string;
  /** The whole message as it goes out, lines ended by CRLF, without dot-stuffing. */
  message: Buffer;
}

/** The way out for every mail. */
export interface Transport {
  readonly connections: number;
  /**
   * Waits until a connection is free and the rate and the relay's health allow a mail; first come, first served.
   * @returns permits for 1 to `max` mails; 0 once closed, aborted, or when `max` is less than 1
   */
  reserve(max: number, signal?: AbortSignal): Promise<number>;
  /** Permits for up to `max` mails that can be had at once; 0 where one would have to wait. */
  more(max: number): number;
  /** Gives back permits that will not be used. */
  release(n: number): void;
  /** Uses one permit; waits for one if none was reserved. Never throws. */
  send(mail: Mail): Promise<Verdict>;
  /** Goes as far as it can without a mail, and says in one sentence what it found. */
  check(): Promise<{ ok: boolean; sentence: string; smtputf8?: boolean }>;
  /** `pausedUntil`: nothing goes before then; `reason`: what is wrong, until all is well again. */
  state(): { open: number; busy: number; pausedUntil: Date | null; reason: string | null };
  /** Grants nothing more, lets what has a permit finish for up to `graceMs`, then cuts the connections. */
  close(graceMs: number): Promise<void>;
}
