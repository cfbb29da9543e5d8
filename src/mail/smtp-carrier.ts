import type { ErrorCode } from "../texts/catalogue.ts";
import { Refusal } from "../base/errors.ts";
import { createConnectionPool } from "./connections.ts";
import { createSession, defaultTimeouts, type SessionOptions, type Timeouts } from "./session.ts";
import { bytesOf, isUnreached, needsSmtpUtf8, rejected, type Carrier, type Delivered, type Mail } from "./transport.ts";
import { failureText, judge, type SmtpFailure, type Verdict } from "./verdict.ts";

export interface SmtpCarrierOptions extends Omit<SessionOptions, "timeouts"> {
  timeouts?: Partial<Timeouts>;
}

/** Longest probe of an unreachable relay, and longest check. */
const probeMs = 5_000;
const checkMs = 15_000;

/** Hands messages to an SMTP relay, on connections that are opened on demand and reused. */
export function createSmtpCarrier(options: SmtpCarrierOptions): Carrier {
  const { host, port } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const pool = createConnectionPool(() => createSession({ ...options, timeouts }), timeouts.idle);
  const name = relayName(host, port);
  let closed = false;

  /** One attempt on an idle connection or a new one. If an idle one turns out to be closed, a new one is tried. */
  async function deliver(mail: Mail, fresh = false): Promise<Delivered> {
    const taken = await pool.take(fresh);
    if ("failure" in taken) return { verdict: judge(taken.failure), failure: taken.failure };
    const { session, kept } = taken;
    const fault = sessionFault(mail, session.smtputf8(), session.maxBytes());
    if (fault) {
      pool.put(session);
      return { verdict: fault };
    }
    const outcome = await session.send(mail);
    const worn = "stage" in outcome && wornOut(outcome);
    pool.put(session, worn);
    if ("reply" in outcome) return { verdict: { kind: "sent", reply: outcome.reply } };
    return kept && !closed && worn ? deliver(mail, true) : { verdict: judge(outcome), failure: outcome };
  }

  const sessionWithin = (ms: number): ReturnType<typeof createSession> =>
    createSession({ ...options, timeouts: { ...timeouts, connect: Math.min(timeouts.connect, ms) } });

  return {
    name,
    deliver: (mail) => deliver(mail),
    async reached(signal) {
      const probe = sessionWithin(probeMs);
      const cut = (): void => void probe.cut();
      signal.addEventListener("abort", cut, { once: true });
      const failure = await probe.open();
      signal.removeEventListener("abort", cut);
      void probe.quit();
      return failure === null || !isUnreached(failure);
    },
    async check() {
      const session = sessionWithin(checkMs);
      const failure = await session.open();
      if (failure) return { ok: false, refusal: relayRefusal(failure, host, port) };
      const details = {
        relay: name,
        tls: session.secured() ? "yes" : "no",
        login: options.user === null ? "no" : "yes",
      };
      const smtputf8 = session.smtputf8();
      await session.quit();
      return { ok: true, key: "relay.ready", details, smtputf8 };
    },
    open: () => pool.open(),
    shrink: (most) => pool.shrink(most),
    close() {
      closed = true;
      return pool.close();
    },
  };
}

/**
 * The relay closed the idle connection, or accepts no more messages on it: a new connection may work. Some relays limit
 * the recipients of a connection, not of a message (RFC 3463, X.5.3).
 */
function wornOut(failure: SmtpFailure): boolean {
  if (failure.stage === "rcpt") return failure.enhanced === "4.5.3";
  if (failure.stage !== "mail") return false;
  return failure.code === null || (failure.code === 421 && !failure.enhanced?.startsWith("4.7."));
}

function sessionFault(mail: Mail, smtputf8: boolean, maxBytes: number): Verdict | null {
  // RFC 6531 §3.2 forbids this, and the library would send it without the SMTPUTF8 parameter.
  if (needsSmtpUtf8(mail) && !smtputf8) return rejected({ code: "smtputf8_missing" });
  const bytes = bytesOf(mail);
  if (bytes > maxBytes) return rejected({ code: "message_too_large", data: { bytes, limit: maxBytes } });
  return null;
}

/** host:port, an IPv6 address in brackets. */
export function relayName(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const codes: Partial<Record<SmtpFailure["stage"], { answered: ErrorCode; unanswered: ErrorCode }>> = {
  connect: { answered: "relay_rejected_connection", unanswered: "relay_unreachable" },
  tls: { answered: "relay_without_starttls", unanswered: "relay_tls_failed" },
  auth: { answered: "relay_login_refused", unanswered: "relay_login_impossible" },
};

/** The refusal for a failed connection, as operators see it. */
export function relayRefusal(failure: SmtpFailure, host: string, port: number): Refusal {
  const code = codes[failure.stage]?.[failure.code === null ? "unanswered" : "answered"] ?? "relay_failed";
  return new Refusal(422, code, { relay: relayName(host, port), reply: failureText(failure) });
}
