import type { Message } from "../texts/catalogue.ts";
import type { Refusal } from "../base/errors.ts";
import type { Fault, SmtpFailure, Verdict } from "./verdict.ts";

/** One message to one reader. */
export interface Mail {
  /** Envelope sender. */
  from: string;
  /** Envelope recipient. */
  to: string;
  /** The whole message with CRLF line ends, without dot-stuffing. */
  message: Buffer;
  /** Whether no line of the message begins with a dot, as its encoding guarantees. Otherwise it is searched for such lines. */
  undotted?: boolean;
  /** DKIM-Signature fields, which stand before the message. */
  signatures?: Buffer;
}

/** All that a mail's recipient gets, in order. */
export function piecesOf({ message, signatures }: Pick<Mail, "message" | "signatures">): Buffer[] {
  return signatures === undefined ? [message] : [signatures, message];
}

/** The size of that. */
export function bytesOf({ message, signatures }: Pick<Mail, "message" | "signatures">): number {
  return message.length + (signatures?.length ?? 0);
}

/** The result of a check without sending a message. The text at `key` is for operators. */
export type TransportCheck =
  | {
      ok: true;
      key: "relay.ready" | "outbox.ready" | "transport.ready";
      details: Record<string, string>;
      smtputf8: boolean;
    }
  | { ok: false; refusal: Refusal };

/** What became of a message, and the failure that says so, if there was one. */
export interface Delivered {
  verdict: Verdict;
  failure?: SmtpFailure;
}

/** Hands messages over, as many at once as it is asked to. It knows no limits. No method throws. */
export interface Carrier {
  /** Where messages go, for operators. */
  readonly name: string;
  /** @param mail with a valid envelope */
  deliver(mail: Mail): Promise<Delivered>;
  /** Whether the other side can be reached, once a failure has said that it cannot. Left out if that is not known. */
  reached?(signal: AbortSignal): Promise<boolean>;
  /** Checks the way without sending a message. */
  check(): Promise<TransportCheck>;
  /** The number of open connections; 0 if it is not known. */
  open(): number;
  /** Closes idle connections until no more than `most` are open, if it can. */
  shrink?(most: number): void;
  /** Closes the connections. What is being handed over fails. */
  close(): Promise<void>;
}

/** Sends messages, through a relay or into the outbox. */
export interface Transport {
  /** Most connections of all workers together. */
  readonly connections: number;
  /** How many of them this worker may use at present. */
  share(): number;
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
  state(): { open: number; busy: number; pausedUntil: Date | null; reason: string | Message | null };
  /** Stops granting permits, waits up to `graceMs` for granted ones, then closes the connections. */
  close(graceMs: number): Promise<void>;
}

/** RFC 5321 §4.5.3.1.3, less the angle brackets. */
const longestAddress = 254;

/** No white space, control characters or angle brackets, which could end the SMTP command. */
const safeAddress = /^[^\s\p{Cc}<>]+@[^\s\p{Cc}<>@]+$/u;

/** The verdict for a message whose envelope is not valid in SMTP; null if it is valid. */
export function envelopeFault(mail: Pick<Mail, "from" | "to">): Verdict | null {
  if (!isSendable(mail.from)) return rejected({ code: "sender_address_invalid" });
  return isSendable(mail.to) ? null : rejected({ code: "address_invalid" });
}

function isSendable(address: string): boolean {
  return safeAddress.test(address) && Buffer.byteLength(address) <= longestAddress;
}

/** Whether the envelope needs SMTPUTF8 (RFC 6531 §3.2). */
export function needsSmtpUtf8(mail: Pick<Mail, "from" | "to">): boolean {
  return /[^\0-\x7f]/.test(mail.from + mail.to);
}

/** A local rejection. The relay has not seen the message. */
export function rejected(fault: Fault): Verdict {
  return { kind: "rejected", scope: "message", reply: null, ...fault };
}

/** Whether the relay could not be reached. A relay that rejects the connection is reachable. */
export function isUnreached({ stage, code }: Pick<SmtpFailure, "stage" | "code">): boolean {
  return stage === "connect" && code === null;
}
