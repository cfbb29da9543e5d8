import type { Balance } from "../../ledger/balance.ts";
import { balanceInWords } from "../../texts/deliveries.ts";
import { isActive, type EditionState } from "../../editions/state.ts";
import { progressText } from "./day-text.ts";
import type { App } from "../../app.ts";
import { type OutcomeCount, type Tally, tallyEditions } from "../../deliveries/search.ts";
import { countSuppressedByEdition } from "../../subscribers/suppressions.ts";
import { relayState, type RelayState } from "../../deliveries/relay.ts";
import type { OpenAlert } from "../../alerts/conditions.ts";
import { openAlerts } from "../../alerts/store.ts";
import { alertInWords } from "../../texts/alerts.ts";
import { operatorPathOf } from "../../base/edition-name.ts";
import { possibleActs } from "./edition-acts.ts";
import { localDate } from "../../schedule/calendar.ts";
import { listCurrent, type Edition } from "../../editions/store.ts";
import type { Clock } from "../../base/clock.ts";
import { phaseOf } from "../../providers/state.ts";
import { listProviders, type ListedProvider } from "../../providers/store.ts";
import { phaseInWords, providerInWords, providerLabel } from "../../texts/providers.ts";
import { number, shortMoment, span } from "./format.ts";
import { englishWording } from "../../texts/catalogue.ts";

const { say } = englishWording();

/** An edition's progress as shown on pages. */
export interface Progress {
  id: number;
  /** A sentence for the Today page. */
  sentence: string;
  /** The sum: `selected 3 = sent 3 + …`. */
  sum: string;
  bar: BarPart[];
  /** The rate, such as `2,400 per minute, 3 minutes left`, why emails are deferred, and the problems of the relay and of providers. */
  notes: string[];
  /** Whether a note is about the relay. */
  relay: boolean;
  domains: ShownDomain[];
  providers: ReturnType<typeof providerRows>;
  path: string;
  acts: ReturnType<typeof possibleActs>;
}

/** The latest editions with their states, and the progress of the active ones. */
interface Picture {
  editions: { id: number; state: EditionState }[];
  progress: Progress[];
}

/** Number of editions on the Today page, besides older active ones. */
export const lookedAt = 3;
export const shownDomains = 8;
/** The relay's trouble changes seldom, so it is read only at every fifth look. */
const relayEvery = 5;

type FollowDeps = Pick<App, "db" | "clock" | "transport" | "options">;

/**
 * @returns a function that reads the progress with four queries, or one if no edition is active, and now and then two more
 * about the relay. Everything about an edition is counted at the same moment.
 */
export function followEditions(deps: FollowDeps): () => Promise<Picture> {
  const { db, clock } = deps;
  const kept = new Map<number, ReturnType<typeof speed>>();
  let looks = 0;
  /** Undefined until it is known. */
  let relay: string | null | undefined;

  function progressOf(edition: Edition, tally: Tally, suppressed: number, trouble: Trouble): Progress {
    const { now } = trouble;
    const { id, state } = edition;
    const { balance } = tally;
    const measure = kept.get(id) ?? speed();
    kept.set(id, measure);
    const rate = state === "sending" ? measure(balance, now.getTime()) : null;
    return {
      id,
      sentence: progressText({ ...edition, balance }, localDate(now, edition.timezone)),
      sum: balanceInWords(balance),
      bar: barOf(balance),
      notes: [...(rate === null ? [] : [rate]), ...sendingNotes(edition, tally, trouble)],
      relay: notesRelay(edition, trouble),
      domains: domainRows(tally.domains),
      providers: providerRows(trouble),
      path: operatorPathOf(edition),
      acts: possibleActs({ ...edition, balance, suppressed, retryable: tally.retryable }),
    };
  }

  return async () => {
    const editions = await listCurrent(db, lookedAt);
    const active = editions.filter(({ state }) => isActive(state));
    const [tallies, suppressed] = await Promise.all([
      tallyEditions(db, active, shownDomains),
      countSuppressedByEdition(
        db,
        active.map(({ id }) => id),
      ),
    ]);
    const [first] = active;
    // This process's own connections are no query.
    const ask = looks % relayEvery === 0 || deps.transport.state().reason !== null;
    const trouble = first ? await troubleNow(deps, first.timezone, ask ? undefined : relay) : noTrouble(clock);
    relay = first ? trouble.relay : undefined;
    const progress = active.map((one) => progressOf(one, tallies.get(one.id)!, suppressed.get(one.id) ?? 0, trouble));
    looks += 1;
    for (const id of kept.keys()) if (!tallies.has(id)) kept.delete(id);
    return { editions: editions.map(({ id, state }) => ({ id, state })), progress };
  };
}

/** What is in the way of sending at a moment. */
export interface Trouble {
  now: Date;
  /** The relay's problem as a sentence. */
  relay: string | null;
  /** The largest mailbox providers, those that are paused or blocked first. */
  providers: readonly ListedProvider[];
}

export function noTrouble(clock: Clock): Trouble {
  return { now: clock.now(), relay: null, providers: [] };
}

/** @param known the relay's trouble if the caller knows it, so that the database is not asked */
export async function troubleNow(deps: FollowDeps, timezone: string, known?: string | null): Promise<Trouble> {
  const now = deps.clock.now();
  const [relay, providers] = await Promise.all([
    known === undefined ? relayTrouble(deps, timezone) : known,
    listProviders(deps.db, now, shownDomains),
  ]);
  return { now, relay, providers };
}

export function providerRows({ providers, now }: Pick<Trouble, "providers" | "now">) {
  return providers.map((one) => providerRow(one, now));
}

/** A row of `providers-table.liquid`. */
export function providerRow(provider: ListedProvider, now: Date) {
  const phase = phaseOf(provider, now);
  return {
    name: provider.name,
    label: providerLabel(provider.name),
    phase,
    state: phaseInWords(phase),
    accepted: number(provider.accepted),
    deferred: number(provider.deferred),
    refused: number(provider.refused),
    perMinute: number(provider.perMinute),
  };
}

async function relayTrouble(deps: FollowDeps, timezone: string): Promise<string | null> {
  const [state, alerts] = await Promise.all([relayState(deps), openAlerts(deps.db)]);
  return relayInWords(state, alerts, timezone);
}

/**
 * Why the relay accepts no email, or fewer than it should, as a sentence; null if it accepts all. This process knows it from
 * its own connections, from what the workers share, and from the alert if only another process cannot reach the relay.
 */
export function relayInWords(
  { reason, quota, pausedUntil, slowed, rate }: RelayState,
  alerts: readonly OpenAlert[],
  timezone: string,
): string | null {
  if (reason !== null) {
    const text = englishWording().text(reason);
    if (quota === null) return say("edition.relay_trouble", { reason: text });
    const until = pausedUntil === null ? "none" : shortMoment(pausedUntil, timezone, "en");
    return say("edition.relay_quota", { quota, reply: text, until });
  }
  const alert = alerts.find(({ kind }) => kind === "relay");
  if (alert) return alertInWords(alert);
  return slowed ? say("edition.relay_slowed", { rate: Math.round((rate ?? 0) * 10) / 10 }) : null;
}

/**
 * What an editor should know while an edition is being sent: deferred emails with the next attempt, and the problems of the
 * relay and of mailbox providers.
 */
export function sendingNotes(
  { state, timezone, expires_at }: Pick<Edition, "state" | "timezone" | "expires_at">,
  { balance, nextTry }: Pick<Tally, "balance" | "nextTry">,
  { relay, providers, now }: Trouble,
): string[] {
  if (state !== "sending") return [];
  const time = (at: Date | null): string => (at === null ? "none" : shortMoment(at, timezone, "en"));
  const limited = providers.flatMap((one) => providerInWords(one, phaseOf(one, now), time) ?? []);
  const deferred = { n: balance.deferred, next: time(nextTry), until: time(expires_at) };
  return [
    ...(relay === null ? [] : [relay]),
    ...limited,
    ...(balance.deferred === 0 ? [] : [say("edition.deferred", deferred)]),
  ];
}

/** Whether one of the `sendingNotes` is about the relay. */
export function notesRelay({ state }: Pick<Edition, "state">, { relay }: Pick<Trouble, "relay">): boolean {
  return state === "sending" && relay !== null;
}

/** Formatted delivery counts of an edition for one receiving domain. */
interface ShownDomain {
  domain: string;
  sent: string;
  /** Rejected, expired or unknown. */
  failed: string;
  open: string;
}

const failed = new Set(["rejected", "expired", "unknown"]);
const open = new Set(["pending", "sending", "deferred"]);

/** Keeps the given order. Skipped deliveries are in none of the counts. */
export function domainRows(counts: readonly OutcomeCount[]): ShownDomain[] {
  const rows = new Map<string, { sent: number; failed: number; open: number }>();
  for (const { domain, state, count } of counts) {
    if (domain === "") continue;
    const row = rows.get(domain) ?? { sent: 0, failed: 0, open: 0 };
    rows.set(domain, row);
    if (state === "sent") row.sent += count;
    else if (failed.has(state)) row.failed += count;
    else if (open.has(state)) row.open += count;
  }
  return [...rows].map(([domain, row]) => ({
    domain,
    sent: number(row.sent),
    failed: number(row.failed),
    open: number(row.open),
  }));
}

/** A part of an edition's bar. `x` and `width` are percentages. */
interface BarPart {
  kind: "sent" | "failed" | "unknown" | "skipped" | "waiting";
  label: string;
  count: string;
  x: string;
  width: string;
}

/** An edition's deliveries by outcome, as parts of one bar. */
export function barOf(counts: Balance): BarPart[] {
  const parts = [
    ["sent", say("chart.sent"), counts.sent],
    ["failed", say("chart.failed"), counts.rejected + counts.expired],
    ["unknown", say("chart.unknown"), counts.unknown],
    ["skipped", say("chart.skipped"), counts.skipped],
    ["waiting", say("chart.waiting"), counts.pending + counts.sending + counts.deferred],
  ] as const;
  const total = Math.max(
    1,
    parts.reduce((sum, [, , n]) => sum + n, 0),
  );
  let before = 0;
  return parts.map(([kind, label, n]) => {
    const part = { kind, label, count: number(n), x: percent(before / total), width: percent(n / total) };
    before += n;
    return part;
  });
}

function percent(share: number): string {
  return (share * 100).toFixed(2);
}

const windowMs = 30_000;

/** @returns what measures the sending rate of one edition over the last 30 seconds, or null while nothing is sent */
export function speed(): (counts: Balance, now: number) => string | null {
  let seen: { at: number; done: number }[] = [];
  return (counts, now) => {
    const done = counts.sent + counts.rejected + counts.unknown;
    if ((seen.at(-1)?.done ?? 0) > done) seen = [];
    seen = [...seen.filter(({ at }) => now - at <= windowMs), { at: now, done }];
    const first = seen[0]!;
    if (now - first.at < 1_000 || done === first.done) return null;
    const perMs = (done - first.done) / (now - first.at);
    const minutes = (counts.pending + counts.sending) / perMs / 60_000;
    const n = Math.round(perMs * 60_000);
    return minutes === 0
      ? say("edition.rate", { n })
      : say("edition.rate_left", { n, left: minutes < 1 ? say("span.less") : span(minutes * 60_000) });
  };
}
