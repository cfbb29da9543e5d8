import type { Refusal } from "../base/errors.ts";
import type { Verdict } from "./verdict.ts";

export { createSmtpTransport, type SmtpOptions } from "./smtp.ts";
export { createOutboxTransport } from "./outbox.ts";

/** One message to one reader. */
export interface Mail {
  /** Envelope sender. */
  from: string;
  /** Envelope recipient. */
  to: string;
  /** The whole message with CRLF line ends, without dot-stuffing. */
  message: Buffer;
}

/** The result of a check without sending a message. The text at `key` is for operators. */
export type TransportCheck =
  | { ok: true; key: "relay.ready" | "outbox.ready"; details: Record<string, string>; smtputf8: boolean }
  | { ok: false; refusal: Refusal };

/** Sends messages, through a relay or into the outbox. */
export interface Transport {
  readonly connections: number;
  /**
   * Waits until a connection is free and the rate limit and the circuit breaker allow a message; first come, first served.
   * @returns permits for 1 to `max` messages; 0 once closed, aborted, or when `max` is less than 1
   */
  reserve(max: number, signal?: AbortSignal): Promise<number>;
  /** Permits for up to `max` messages that are available now; 0 if there are none. */
  more(max: number): number;
  /** Returns unused permits. */
  release(n: number): void;
  /** Sends with one permit; waits for one if none is reserved. Never throws. */
  send(mail: Mail): Promise<Verdict>;
  /** Connects, secures the connection and logs in, without sending a message. */
  check(): Promise<TransportCheck>;
  /** `pausedUntil`: nothing is sent before then. `reason`: the last failure, until the relay has recovered. */
  state(): { open: number; busy: number; pausedUntil: Date | null; reason: string | null };
  /** Stops granting permits, waits up to `graceMs` for granted ones, then closes the connections. */
  close(graceMs: number): Promise<void>;
}
