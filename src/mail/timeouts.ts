/** Milliseconds. */
export interface Timeouts {
  /** Name lookup, TCP, greeting, TLS and log-in, together. */
  connect: number;
  /** From MAIL FROM to the last byte of the body. RFC 5321 §4.5.3.2.2: five minutes for MAIL and RCPT. */
  envelope: number;
  /** For the reply to the final dot. RFC 5321 §4.5.3.2.6: ten minutes; a shorter timeout causes duplicates. */
  final: number;
  /** How long an unused connection stays open. */
  idle: number;
}

export const defaultTimeouts: Timeouts = { connect: 60_000, envelope: 300_000, final: 600_000, idle: 30_000 };
