import type { Message } from "../texts/catalogue.ts";
import type { AdoptedPause } from "./breaker.ts";
import type { QuotaPeriod } from "./quota.ts";

/**
 * What the workers of a publication share about the relay. Times are milliseconds since 1970 of one clock, the database's,
 * so that a wrong clock on a machine of a worker changes nothing.
 */
export interface SharedLimits {
  /** Messages are permitted up to this time. */
  nextAt: number;
  /** The relay said that it got too much: a rate at a time, which grows back to `full`. Messages per second. */
  slowed: { at: number; rate: number; full: number } | null;
  pause: SharedPause | null;
}

export interface SharedPause {
  at: number;
  until: number;
  reason: string | Message;
  /** Pauses in a row. */
  failures: number;
  /** The quota that is used up; null for any other failure. */
  quota: QuotaPeriod | null;
  /** The worker that may try the relay first after the pause. Another may take over at `until`. */
  probe: { worker: string; until: number } | null;
}

/** What one worker wants and has to say. */
export interface Ask {
  /** Messages per second in its settings; null for no limit. */
  rate: number | null;
  /** Whether it needs more tokens: it has none left and something to send, or it will soon have none left. */
  lease: "now" | "soon" | null;
  /** Its attempt to send failed: nobody sends for `ms`. */
  failed?: Failure;
  /** The relay answered a message as usual. */
  worked?: boolean;
  /** The relay got too much. The messages per second that this worker sent count if there was no limit. */
  tooFast?: { sent: number };
}

export interface Failure {
  ms: number;
  reason: string | Message;
  failures: number;
  quota: QuotaPeriod | null;
}

/** The live workers, as seen from one of them. */
export interface Workers {
  others: number;
  /** How many of the others are older. */
  before: number;
  /** How long the asking one has been alive; null if it has not said so. */
  ageMs: number | null;
}

export interface Answer {
  now: number;
  /** Messages per second of all workers; null for no limit. */
  rate: number | null;
  lease: { from: number; tokens: number; rate: number } | null;
  /** When to ask again, if others already have the time to come. */
  retryMs: number | null;
  pause: AdoptedPause | null;
  workers: Workers;
}

export const noLimits: SharedLimits = { nextAt: 0, slowed: null, pause: null };

/** A lease lasts about this long, or one message at rates below ten a second. */
const leaseMs = 100;
/** A worker's second lease begins no later than in this time. */
const aheadMs = 250;
const probeMs = 5_000;
/** The replies to what was under way when the rate was halved are no reason to halve it again. */
const settleMs = 3_000;
const slowestRate = 1;
/** From half the rate to the full rate in 50 s. */
const growthPerSecond = 0.01;

/**
 * Answers one worker. Of several at once, each must be answered on what the one before has left.
 * @returns the new limits, the same object if nothing has changed
 */
export function exchange(
  limits: SharedLimits,
  worker: string,
  ask: Ask,
  facts: { now: number; workers: Workers },
): { limits: SharedLimits; answer: Answer } {
  const { now, workers } = facts;
  let next = reported(withoutFuture(limits, now), worker, ask, facts);
  const { pause } = next;
  const over = pause !== null && pause.until <= now;
  const mine = over && (pause.probe === null || pause.probe.worker === worker || pause.probe.until <= now);
  if (mine) next = { ...next, pause: { ...pause, probe: { worker, until: now + probeMs } } };
  const rate = currentRate(next, ask.rate, now);
  let lease: Answer["lease"] = null;
  let retryMs: number | null = null;
  if (ask.lease !== null && rate !== null && (pause === null || mine)) {
    const tokens = tokensOf(rate);
    const lasts = (tokens * 1_000) / rate;
    const turn = (workers.others + 2) * lasts;
    // Further ahead than any lease ends: the clock was set back.
    const from = next.nextAt > now + aheadMs + turn + lasts ? now : Math.max(next.nextAt, now);
    // A worker with tokens waits until those without have some.
    if (from - now > (ask.lease === "now" ? aheadMs + turn : aheadMs)) retryMs = lasts;
    else {
      lease = { from, tokens, rate };
      next = { ...next, nextAt: from + lasts };
    }
  }
  const adopted = pause && {
    waitMs: Math.max(0, pause.until - now),
    mine,
    reason: pause.reason,
    failures: pause.failures,
  };
  return { limits: next, answer: { now, rate, lease, retryMs, pause: adopted, workers } };
}

/** Ends the pause now, so that one worker may try the relay. @returns the same object if nothing is paused */
export function resume(limits: SharedLimits, now: number): SharedLimits {
  const { pause } = limits;
  if (pause === null || pause.until <= now) return limits;
  return { ...limits, pause: { ...pause, at: Math.min(pause.at, now), until: now, probe: null } };
}

/** How many messages one lease is for. */
export function tokensOf(rate: number): number {
  return Math.max(1, Math.round((rate * leaseMs) / 1_000));
}

/** Messages per second of all workers; null for no limit. @param set that of the settings */
export function currentRate({ slowed }: SharedLimits, set: number | null, now: number): number | null {
  if (slowed === null) return set;
  const grown = slowed.rate + (slowed.full * growthPerSecond * (now - slowed.at)) / 1_000;
  if (grown >= slowed.full) return set;
  return set === null ? grown : Math.min(set, grown);
}

/** If the clock was set back, pauses and slowdowns keep their length and start now. */
function withoutFuture(limits: SharedLimits, now: number): SharedLimits {
  const { slowed, pause } = limits;
  const late = pause === null ? 0 : pause.at - now;
  if (late <= 0 && (slowed === null || slowed.at <= now)) return limits;
  return {
    ...limits,
    slowed: slowed && { ...slowed, at: Math.min(slowed.at, now) },
    pause: pause && late > 0 ? { ...pause, at: now, until: pause.until - late, probe: null } : pause,
  };
}

function reported(
  limits: SharedLimits,
  worker: string,
  { failed, worked, tooFast, rate }: Ask,
  { now, workers }: { now: number; workers: Workers },
): SharedLimits {
  let { slowed, pause } = limits;
  if (worked === true && pause !== null && pause.until <= now && pause.probe?.worker === worker) pause = null;
  if (failed) {
    const until = now + failed.ms;
    const { ms: _, ...why } = failed;
    if (pause === null || pause.until < until) pause = { at: now, until, ...why, probe: null };
  }
  if (tooFast && (slowed === null || now - slowed.at >= settleMs)) {
    const present = currentRate(limits, rate, now) ?? tooFast.sent * (workers.others + 1);
    const full = rate ?? Math.max(present, slowed?.full ?? 0);
    slowed = { at: now, rate: Math.min(full, Math.max(slowestRate, present / 2)), full };
  }
  return slowed === limits.slowed && pause === limits.pause ? limits : { ...limits, slowed, pause };
}

/** Until the others know of a new worker, it uses one connection. They ask every second. */
const newcomerMs = 2_500;

/** One worker's share of the connections, at least one. */
export function shareOf(connections: number, { others, before, ageMs }: Workers): number {
  if (others === 0) return connections;
  if (ageMs === null || ageMs < newcomerMs) return 1;
  const all = others + 1;
  return Math.max(1, Math.floor(connections / all) + (before < connections % all ? 1 : 0));
}
