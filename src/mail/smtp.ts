import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/mask-address.ts";
import { createBreaker } from "./breaker.ts";
import { envelopeFault, needsSmtpUtf8, rejected } from "./envelope.ts";
import { relayName, relayRefusal } from "./explain.ts";
import { createRateLimiter, ticks } from "./rate-limiter.ts";
import { createConnectionPool } from "./connections.ts";
import { createSession, type Session, type SessionOptions } from "./session.ts";
import { defaultTimeouts, type Timeouts } from "./timeouts.ts";
import { createThrottle } from "./throttle.ts";
import type { Mail, Transport } from "./transport.ts";
import { judge, oneLine, type SmtpFailure, type Verdict } from "./verdict.ts";

export interface SmtpOptions extends Omit<SessionOptions, "timeouts"> {
  connections: number;
  /** Messages per second; null for no limit. */
  rate: number | null;
  timeouts?: Partial<Timeouts>;
}

/**
 * Sends through a relay, on up to `connections` connections that are opened on demand and reused. It uses Nodemailer's
 * `smtp-connection`, which costs a tenth of `sendMail` for a message that is already built.
 * @param deps.returned called when the relay has recovered
 */
export function createSmtpTransport(
  deps: { clock: Clock; log: Log; returned?: () => void },
  options: SmtpOptions,
): Transport {
  const { host, port, connections } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const breaker = createBreaker(connections);
  const limiter = createRateLimiter({ connections, breaker, throttle: createThrottle(options.rate, ticks()) });
  const pool = createConnectionPool(() => createSession({ ...options, timeouts }), timeouts.idle);
  const relay = relayName(host, port);
  const closing = new AbortController();
  let cut = false;
  let probe: Session | null = null;
  let returning: Promise<void> | null = null;

  /** Probes an unreachable relay with connections only, so that its return is noticed soon and no message fails. */
  async function awaitReturn(): Promise<void> {
    breaker.unreachable();
    const short = { ...timeouts, connect: Math.min(timeouts.connect, probeMs) };
    let failure: SmtpFailure | null;
    do {
      const pause = probePauseMs * (0.5 + Math.random() / 2);
      await wait(pause, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      probe = createSession({ ...options, timeouts: short });
      failure = await probe.open();
    } while (failure !== null && isUnreached(failure));
    void probe?.quit();
    probe = null;
    breaker.reachable(ticks());
    deps.returned?.();
  }

  /** One attempt on an idle connection or a new one. If an idle one turns out to be closed, a new one is tried. */
  async function attempt(mail: Mail, fresh: boolean): Promise<Verdict> {
    const taken = await pool.take(fresh);
    if ("failure" in taken) {
      if (isUnreached(taken.failure) && !returning) {
        returning = awaitReturn().finally(() => (returning = null));
      }
      return judge(taken.failure);
    }
    const { session, kept } = taken;
    const fault = sessionFault(mail, session.smtputf8(), session.maxBytes());
    if (fault) {
      pool.put(session);
      return fault;
    }
    const outcome = await session.send(mail);
    const worn = "stage" in outcome && wornOut(outcome);
    pool.put(session, worn);
    if ("reply" in outcome) return { kind: "sent", reply: outcome.reply };
    return kept && !cut && worn ? attempt(mail, true) : judge(outcome);
  }

  /** Updates the breaker and the log, and adds the breaker's pause to the verdict. */
  function note(verdict: Verdict, triedAt: number): Verdict {
    const before = breaker.reason();
    if (verdict.kind !== "unknown" && !(verdict.kind === "deferred" && verdict.scope === "relay")) {
      breaker.worked();
      if (before !== null && breaker.reason() === null) {
        deps.log.info({ relay }, "relay has recovered");
        deps.returned?.();
      }
      return verdict;
    }
    if (cut) return verdict;
    const now = ticks();
    const waited = breaker.waitMs(now);
    breaker.failed(verdict.reply, triedAt, now, verdict.kind === "deferred" ? verdict.quietMs : 0);
    const quietMs = Math.ceil(breaker.waitMs(now));
    const reason = withoutAddress(verdict.reply);
    if (quietMs > waited) deps.log.warn({ relay, reason, quietMs }, "relay failed, sending is paused");
    return verdict.kind === "deferred" ? { ...verdict, quietMs } : verdict;
  }

  async function send(mail: Mail): Promise<Verdict> {
    if (!(await limiter.begin())) return notNow("the mail transport is closed");
    try {
      const fault = envelopeFault(mail);
      if (fault) return fault;
      if (cut) return notNow("the mail transport is closed");
      const quietMs = Math.ceil(breaker.waitMs(ticks()));
      if (quietMs > 0) return { ...notNow(`sending to the relay is paused after: ${breaker.reason() ?? ""}`), quietMs };
      const triedAt = ticks();
      return note(await attempt(mail, false), triedAt);
    } finally {
      limiter.end();
    }
  }

  return {
    connections,
    reserve: limiter.reserve,
    more: limiter.more,
    release: limiter.release,
    send,
    async check() {
      const session = createSession({
        ...options,
        timeouts: { ...timeouts, connect: Math.min(timeouts.connect, 15_000) },
      });
      const failure = await session.open();
      if (failure) return { ok: false, refusal: relayRefusal(failure, host, port) };
      const details = { relay, tls: session.secured() ? "yes" : "no", login: options.user === null ? "no" : "yes" };
      const smtputf8 = session.smtputf8();
      await session.quit();
      return { ok: true, key: "relay.ready", details, smtputf8 };
    },
    state() {
      const pauseMs = breaker.waitMs(ticks());
      return {
        open: pool.open(),
        busy: limiter.busy(),
        pausedUntil: pauseMs > 0 ? new Date(deps.clock.now().getTime() + pauseMs) : null,
        reason: breaker.reason(),
      };
    },
    async close(graceMs) {
      limiter.close();
      closing.abort();
      probe?.cut("the mail transport is closing");
      await limiter.drained(graceMs);
      cut = true;
      await pool.close();
    },
  };
}

/** Longest pause between probes of an unreachable relay, and longest probe. */
const probePauseMs = 3_000;
const probeMs = 5_000;

/** Whether the relay could not be reached. A relay that rejects the connection is reachable. */
function isUnreached({ stage, code }: Pick<SmtpFailure, "stage" | "code">): boolean {
  return stage === "connect" && code === null;
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
  if (needsSmtpUtf8(mail) && !smtputf8)
    return rejected("the address is not ASCII and the relay does not offer SMTPUTF8");
  if (mail.message.length > maxBytes) {
    return rejected(`the message has ${mail.message.length} bytes and the relay accepts at most ${maxBytes}`);
  }
  return null;
}

function notNow(reply: string): Extract<Verdict, { kind: "deferred" }> {
  return { kind: "deferred", scope: "relay", reply: oneLine(reply) };
}
