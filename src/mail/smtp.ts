import { type FaultData, isRelayFailure, verdictText, type Fault, type Verdict } from "./verdict.ts";
import type { Message } from "../texts/catalogue.ts";
import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { withoutAddress } from "../base/address.ts";
import { createBreaker } from "./breaker.ts";
import { joinFleet, ownLimits, type Fleet, type LimitStore } from "./fleet.ts";
import { quotaPauseMs, type RelayQuota } from "./quota.ts";
import { createRateLimiter, ticks, type RateLimiter } from "./rate-limiter.ts";
import { createSmtpCarrier, type SmtpCarrierOptions } from "./smtp-carrier.ts";
import { createThrottle } from "./throttle.ts";
import { envelopeFault, isUnreached, type Carrier, type Mail, type Transport } from "./transport.ts";

/** What limits a carrier. */
export interface Limits {
  connections: number;
  /** Messages per second; null for no limit. */
  rate: number | null;
}

export interface SmtpOptions extends SmtpCarrierOptions, Limits {}

interface LimitDeps {
  clock: Clock;
  log: Log;
  /** Called when the relay has recovered. */
  returned?: () => void;
  /** Shared with other workers; left out, the rate, the connections and pauses are this process's own. */
  limits?: LimitStore;
}

/** Sends through an SMTP relay. */
export function createSmtpTransport(deps: LimitDeps, options: SmtpOptions): Transport {
  return limited(deps, createSmtpCarrier(options), options);
}

/** Sends through `carrier` within the limits, and pauses while the relay behind it fails. */
export function limited(deps: LimitDeps, carrier: Carrier, options: Limits): Transport {
  const { connections } = options;
  const relay = carrier.name;
  const breaker = createBreaker(connections);
  const throttle = createThrottle();
  const fleet: Fleet = joinFleet(
    {
      store: deps.limits ?? ownLimits(ticks),
      breaker,
      throttle,
      log: deps.log,
      ticks,
      changed() {
        limiter.wake();
        carrier.shrink?.(fleet.connections());
      },
      idle: () => limiter.idle(),
      resumed() {
        deps.log.info({ relay }, "relay has recovered");
        deps.returned?.();
      },
    },
    { connections, rate: options.rate },
  );
  const limiter: RateLimiter = createRateLimiter({ connections, breaker, throttle, fleet });
  const closing = new AbortController();
  let cut = false;
  let returning: Promise<void> | null = null;

  /** Probes an unreachable relay with connections only, so that its return is noticed soon and no message fails. */
  async function awaitReturn(reached: NonNullable<Carrier["reached"]>): Promise<void> {
    breaker.unreachable();
    do {
      const pause = probePauseMs * (0.5 + Math.random() / 2);
      await wait(pause, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
    } while (!(await reached(closing.signal)));
    breaker.reachable(ticks());
    deps.returned?.();
  }

  async function attempt(mail: Mail): Promise<Verdict> {
    const { verdict, failure } = await carrier.deliver(mail);
    if (failure && isUnreached(failure) && carrier.reached && !returning) {
      returning = awaitReturn(carrier.reached).finally(() => (returning = null));
    }
    return verdict;
  }

  /** Updates the breaker and the log, and adds the breaker's pause to the verdict. */
  function note(verdict: Verdict, triedAt: number): Verdict {
    const before = breaker.reason();
    if (verdict.kind !== "unknown" && !isRelayFailure(verdict)) {
      breaker.worked();
      fleet.worked();
      if (before !== null && breaker.reason() === null) {
        deps.log.info({ relay }, "relay has recovered");
        deps.returned?.();
      }
      return verdict;
    }
    if (cut) return verdict;
    const now = ticks();
    const { quota, quietMs: asked }: { quota?: RelayQuota; quietMs?: number } =
      verdict.kind === "deferred" ? verdict : {};
    if (quota?.kind === "rate") {
      fleet.tooFast(now);
      return verdict;
    }
    const waited = breaker.waitMs(now);
    const reason = verdictText(verdict);
    breaker.failed(reason, triedAt, now, quota ? quotaPauseMs(quota, deps.clock.now()) : asked);
    const left = breaker.waitMs(now);
    const quietMs = Math.ceil(left);
    if (left > waited) {
      // Each worker probes an unreachable relay on its own.
      if (returning === null) {
        const safe = typeof reason === "string" ? withoutAddress(reason) : reason;
        fleet.failed({ ms: quietMs, reason: safe, failures: breaker.failures(), quota: quota?.kind ?? null });
      }
      const said = verdict.reply === null ? { code: verdict.code } : { reply: withoutAddress(verdict.reply) };
      deps.log.warn({ relay, ...said, quietMs }, "relay failed, sending is paused");
    }
    return verdict.kind === "deferred" ? { ...verdict, quietMs } : verdict;
  }

  async function send(mail: Mail): Promise<Verdict> {
    if (!(await limiter.begin())) return notNow({ code: "service_stopping" });
    try {
      const fault = envelopeFault(mail);
      if (fault) return fault;
      if (cut) return notNow({ code: "service_stopping" });
      const quietMs = Math.ceil(breaker.waitMs(ticks()));
      if (quietMs > 0) {
        return { ...notNow({ code: "relay_paused", data: pausedAfter(breaker.reason()) }), quietMs };
      }
      const triedAt = ticks();
      return note(await attempt(mail), triedAt);
    } finally {
      limiter.end();
    }
  }

  return {
    connections,
    share: () => fleet.connections(),
    reserve: limiter.reserve,
    more: limiter.more,
    release: limiter.release,
    send,
    check: () => carrier.check(),
    state() {
      const pauseMs = breaker.waitMs(ticks());
      return {
        open: carrier.open(),
        busy: limiter.busy(),
        pausedUntil: pauseMs > 0 ? new Date(deps.clock.now().getTime() + pauseMs) : null,
        reason: breaker.reason(),
      };
    },
    async close(graceMs) {
      limiter.close();
      fleet.close();
      closing.abort();
      await limiter.drained(graceMs);
      cut = true;
      await carrier.close();
    },
  };
}

/** Longest pause between probes of an unreachable relay. */
const probePauseMs = 3_000;

function notNow(fault: Fault): Extract<Verdict, { kind: "deferred" }> {
  return { kind: "deferred", scope: "relay", reply: null, ...fault };
}

/** The failure that a pause came after: the relay's words, or the code of a fault. */
function pausedAfter(reason: string | Message | null): FaultData {
  return typeof reason === "object" && reason !== null
    ? { after: "", cause: reason.key }
    : { after: withoutAddress(reason ?? "") };
}
