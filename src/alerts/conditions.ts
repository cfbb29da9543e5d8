import type { Message } from "../texts/catalogue.ts";
import type { QuotaPeriod } from "../mail/quota.ts";
import type { ReadError } from "../sources/store.ts";
import { isDeepStrictEqual } from "node:util";
import { tooManyGone } from "../deliveries/watches.ts";
import type { Reason } from "../db/edition-reason.ts";
import { areStillMany, ratesOf, type Outcomes } from "../outcomes/rates.ts";
import type { ReportSource } from "../outcomes/report-sources.ts";
import type { OutcomeSource } from "../outcomes/store.ts";
import type { ProviderOutcomes } from "../providers/store.ts";
import type { EditionState } from "../editions/state.ts";

export const alertKinds = [
  "edition-held",
  "edition-missed",
  "edition-empty",
  "not-sent",
  "suppressions",
  "unknown",
  "source-failing",
  "relay",
  "provider",
  "relay-quota",
  "complaints",
  "policy-bounces",
  "reports-silent",
] as const;
export type AlertKind = (typeof alertKinds)[number];

interface Stopped {
  edition: string;
  reason: Reason;
}

/** What the sentence of each kind needs. The catalogue has the texts, as `alert.…`. */
interface AlertFactsOfKind {
  "edition-held": { edition: string; reason: Reason | null };
  "edition-missed": { edition: string; reason: Reason | null };
  /** `past`: how many regular editions came before, and the fewest articles and readers that one of them had. */
  "edition-empty": {
    edition: string;
    articles: number;
    past: { editions: number; articles: number; selected: number };
  };
  "not-sent": { edition: string; selected: number; rejected: number; expired: number };
  suppressions: Stopped | { edition: string; gone: number; selected: number };
  unknown: { edition: string; count: number };
  "source-failing": { source: number; title: string | null; error: ReadError | null };
  relay: Stopped | { host: string; reply: string | Message };
  provider: { provider: string; reply: string | null };
  "relay-quota": { quota: QuotaPeriod; reply: string | Message };
  /** `provider` is null for all of them together. */
  complaints: { provider: string | null; emails: number; complained: number };
  "policy-bounces": { edition: string; emails: number; policy: number };
  "reports-silent": { source: OutcomeSource; since: string; editions: number };
}

/** `text` is the sentence of an alert that an older release stored. */
export type AlertData = AlertFactsOfKind[AlertKind] | { text: string };

/** A problem that operators are alerted to. */
export type Trouble = {
  [Kind in AlertKind]: {
    kind: Kind;
    /** What has the problem. Kind and subject together identify a problem across checks. */
    subject: string;
    data: AlertFactsOfKind[Kind];
  };
}[AlertKind];

/** The data of an edition that problems are found in. */
export interface WatchedEdition {
  id: number;
  name: string;
  state: EditionState;
  reason: Reason | null;
  articles: number;
  readers: number;
  selected: number;
  rejected: number;
  expired: number;
  unknown: number;
  /** Addresses suppressed because of this edition's emails. */
  suppressed: number;
  /** Emails with a final reply from the relay, counted only as far as the limit needs. */
  answered: number;
  /** Whether an operator has accepted the number of suppressions. */
  goneAccepted: boolean;
  /** Whether a later edition was sent to at least some readers. */
  overtaken: boolean;
  /** For a regular edition without readers: what earlier editions had. null if an operator sent it by hand or a later one has readers. */
  past: { editions: number; articles: number; selected: number } | null;
  closedAt: Date | null;
  /** Readers who get an email. */
  recipients: number;
  /** Bounces because the sender or the content was refused. */
  policy: number;
}

/** A way in for bounces and complaints that has reported something. */
export interface WatchedSource extends Pick<ReportSource, "source" | "days" | "lastAt" | "usualPauseMs"> {
  /** Editions that were sent since its last report. */
  editions: number;
}

export interface AlertFacts {
  now: Date;
  /** Editions of the last week. */
  editions: readonly WatchedEdition[];
  feeds: readonly { id: number; title: string | null; failures: number; lastError: ReadError | null; wellAt: Date }[];
  /** The relay's problem as seen from this host. */
  relay: { host: string; reason: string | Message | null };
  /** Mailbox providers that refuse all emails. */
  blocked: readonly { name: string; reply: string | null }[];
  /** The relay's quota that is used up, for all workers. */
  quota: { period: QuotaPeriod; reply: string | Message } | null;
  /** Percent of an edition's readers. */
  notSentLimit: number;
  /** Of the last days. */
  outcomes: readonly ProviderOutcomes[];
  /** Subjects of the open alerts about complaints. */
  complaining: ReadonlySet<string>;
  sources: readonly WatchedSource[];
}

const hourMs = 3_600_000;
/** Feeds often fail for a few hours. A failure that lasts a day needs an operator. */
const feedPatienceMs = 24 * hourMs;
/** Below this number, the percentage is not meaningful, such as one dead address among ten readers. */
const fewestNotSent = 5;

/** How long a problem must last before operators are alerted. A restarting relay is back within minutes. */
export const patienceMs: Readonly<Record<AlertKind, number>> = {
  "edition-held": 0,
  "edition-missed": 0,
  "edition-empty": 0,
  "not-sent": 0,
  suppressions: 0,
  unknown: 0,
  "source-failing": 0,
  relay: 5 * 60_000,
  provider: 0,
  "relay-quota": 0,
  complaints: 0,
  "policy-bounces": 0,
  "reports-silent": 0,
};

/** All present problems. */
export function findTrouble(facts: AlertFacts): Trouble[] {
  const { editions, feeds, relay, quota, now } = facts;
  const found: Trouble[] = editions.flatMap((edition) => ofEdition(edition, facts.notSentLimit));
  for (const feed of feeds) {
    if (feed.failures === 0 || now.getTime() - feed.wellAt.getTime() < feedPatienceMs) continue;
    const { id, title, lastError } = feed;
    found.push({ kind: "source-failing", subject: `source ${id}`, data: { source: id, title, error: lastError } });
  }
  if (quota !== null) {
    const data = { quota: quota.period, reply: quota.reply };
    found.push({ kind: "relay-quota", subject: "quota of the relay", data });
  } else if (relay.reason !== null) {
    const data = { host: relay.host, reply: relay.reason };
    found.push({ kind: "relay", subject: relaySubject(relay.host), data });
  }
  for (const { name, reply } of facts.blocked) {
    found.push({ kind: "provider", subject: `provider ${name}`, data: { provider: name, reply } });
  }
  return [...found, ...ofComplaints(facts), ...ofPolicy(editions, now), ...ofSources(facts.sources, now)];
}

/** Providers with too many complaints, or all of them together: relays judge a sender by the sum. */
function ofComplaints({ outcomes, complaining }: Pick<AlertFacts, "outcomes" | "complaining">): Trouble[] {
  const subjectOf = (provider: string | null): string =>
    provider === null ? "complaints" : `complaints of ${provider}`;
  const isHigh = (one: Outcomes, provider: string | null): boolean =>
    ratesOf(one, { provider, reported: true }).complaintLevel === "high" ||
    (complaining.has(subjectOf(provider)) && areStillMany(one));
  const trouble = (provider: string | null, { emails, complained }: Outcomes): Trouble => ({
    kind: "complaints",
    subject: subjectOf(provider),
    data: { provider, emails, complained },
  });
  const high = outcomes.filter((one) => isHigh(one, one.name));
  if (high.length > 0) return high.map((one) => trouble(one.name, one));
  const sum = (of: (one: ProviderOutcomes) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
  const all = {
    emails: sum((one) => one.emails),
    complained: sum((one) => one.complained),
    hard: 0,
    soft: 0,
    policy: 0,
  };
  return isHigh(all, null) ? [trouble(null, all)] : [];
}

/** A few servers always refuse somebody for reasons of their own. */
const fewestPolicy = 10;
const policyShare = 0.02;
/** Most bounces of an edition have come back after a day. */
const bouncesMs = 24 * hourMs;

/** Editions that servers refused after the relay had accepted them, until a later one was accepted. */
function ofPolicy(editions: readonly WatchedEdition[], now: Date): Trouble[] {
  const isRefused = ({ policy, recipients }: WatchedEdition): boolean =>
    policy >= fewestPolicy && policy > policyShare * recipients;
  const last = editions.findLast(
    (one) =>
      one.state === "finished" &&
      one.recipients > 0 &&
      (isRefused(one) || (one.closedAt !== null && now.getTime() - one.closedAt.getTime() >= bouncesMs)),
  );
  if (!last || !isRefused(last)) return [];
  const { name: edition, recipients: emails, policy } = last;
  return [{ kind: "policy-bounces", subject: "policy bounces", data: { edition, emails, policy } }];
}

const fewestDays = 5;
const fewestEditions = 3;
const silentMs = 3 * 24 * hourMs;
const longerThanUsual = 5;
/** After so long an alert, it has been switched off on purpose. */
const forgottenMs = 30 * 24 * hourMs;

/** Ways in that used to report bounces or complaints, and have not for much longer than usual although editions were sent. */
function ofSources(sources: readonly WatchedSource[], now: Date): Trouble[] {
  return sources.flatMap(({ source, days, lastAt, usualPauseMs, editions }): Trouble[] => {
    const silent = now.getTime() - lastAt.getTime();
    const usual = usualPauseMs === null ? Infinity : Math.max(silentMs, longerThanUsual * usualPauseMs);
    if (days < fewestDays || editions < fewestEditions || silent < usual || silent >= usual + forgottenMs) return [];
    const since = lastAt.toISOString().slice(0, 10);
    return [{ kind: "reports-silent", subject: `reports of ${source}`, data: { source, since, editions } }];
  });
}

function editionSubject(id: number | ""): string {
  return `edition ${id}`;
}

export function relaySubject(host: string): string {
  return `relay of ${host}`;
}

function ofEdition(facts: WatchedEdition, limit: number): Trouble[] {
  const { id, name: edition, state, reason, selected, rejected, expired, unknown } = facts;
  const subject = editionSubject(id);
  const found: Trouble[] = [];
  if (state === "held") found.push({ kind: "edition-held", subject, data: { edition, reason } });
  if (state === "missed" && !facts.overtaken) {
    found.push({ kind: "edition-missed", subject, data: { edition, reason } });
  }
  if (isStrangelyEmpty(facts)) {
    found.push({ kind: "edition-empty", subject, data: { edition, articles: facts.articles, past: facts.past } });
  }
  if (state === "paused" && reason?.code === "relay_refuses_all") {
    found.push({ kind: "relay", subject, data: { edition, reason } });
  }
  const { suppressed, answered, goneAccepted } = facts;
  if (state === "paused" && reason?.code === "many_addresses_gone") {
    found.push({ kind: "suppressions", subject, data: { edition, reason } });
  }
  // A small edition is finished before it can be paused.
  if (state === "finished" && !goneAccepted && tooManyGone({ gone: suppressed, answered, mails: answered })) {
    found.push({ kind: "suppressions", subject, data: { edition, gone: suppressed, selected } });
  }
  const notSent = rejected + expired;
  if (state === "finished" && notSent >= fewestNotSent && notSent * 100 > limit * selected) {
    found.push({ kind: "not-sent", subject, data: { edition, selected, rejected, expired } });
  }
  if (unknown > 0) found.push({ kind: "unknown", subject, data: { edition, count: unknown } });
  return found;
}

/** Each day of the week is among as many daily editions, so that a newsroom's first free Sunday raises at most one alert. */
const enoughPast = 7;
/** Where fewer readers used to get it, a day without a match is chance. */
const fewReaders = 5;

/**
 * Whether a regular edition unexpectedly had no readers: earlier editions had some, and this one had no articles, or only
 * articles with tags that nobody follows.
 */
function isStrangelyEmpty(
  edition: WatchedEdition,
): edition is WatchedEdition & { past: NonNullable<WatchedEdition["past"]> } {
  const { past, articles, readers } = edition;
  if (past === null || past.editions < enoughPast) return false;
  if (articles === 0) return past.articles > 0;
  return readers > 0 && past.selected >= fewReaders;
}

/** An alert that has not cleared. */
export interface OpenAlert {
  id: number;
  kind: AlertKind;
  subject: string;
  data: AlertData;
  seenAt: Date;
  /** null until the problem has lasted long enough. */
  notifiedAt: Date | null;
}

export interface Changes {
  /** New problems to store. */
  seen: Trouble[];
  /** Open long enough to notify operators. */
  notify: OpenAlert[];
  /** Notified and now over: send the all-clear. */
  cleared: OpenAlert[];
  /** Over before anyone was notified, or no longer looked at: close silently. */
  dropped: OpenAlert[];
  /** Still present with other data. */
  changed: { id: number; data: AlertData }[];
}

/** Relay alerts of a host that has not cleared them for so long close silently: it may be gone. */
const staleMs = 7 * 24 * 3_600_000;

/**
 * Compares present problems with open alerts. Each problem is notified once when it starts and once when it ends. Alerts about
 * editions that are too old to be checked close silently, because nothing says that their problem is over.
 * @param checked the editions, and the host whose relay was; relay alerts of other hosts are left to those hosts
 */
export function compareAlerts(
  open: readonly OpenAlert[],
  troubles: readonly Trouble[],
  now: Date,
  checked: { editions: readonly { id: number }[]; host: string },
): Changes {
  const subjects = new Set(checked.editions.map(({ id }) => editionSubject(id)));
  const changes: Changes = { seen: [], notify: [], cleared: [], dropped: [], changed: [] };
  const present = new Map(troubles.map((trouble) => [keyOf(trouble), trouble]));
  const known = new Set(open.map(keyOf));
  changes.seen = [...present.values()].filter((trouble) => !known.has(keyOf(trouble)));
  for (const alert of open) {
    const trouble = present.get(keyOf(alert));
    const age = now.getTime() - alert.seenAt.getTime();
    if (trouble) {
      if (!isDeepStrictEqual(trouble.data, alert.data)) changes.changed.push({ id: alert.id, data: trouble.data });
      if (alert.notifiedAt === null && age >= patienceMs[alert.kind]) changes.notify.push({ ...alert, ...trouble });
    } else if (isElsewhere(alert, checked.host)) {
      if (age >= staleMs) changes.dropped.push(alert);
    } else if (alert.notifiedAt === null || isUnchecked(alert, subjects)) changes.dropped.push(alert);
    else changes.cleared.push(alert);
  }
  return changes;
}

function isElsewhere({ kind, subject }: OpenAlert, host: string): boolean {
  return kind === "relay" && subject.startsWith(relaySubject("")) && subject !== relaySubject(host);
}

function isUnchecked({ subject }: OpenAlert, checked: ReadonlySet<string>): boolean {
  return subject.startsWith(editionSubject("")) && !checked.has(subject);
}

function keyOf({ kind, subject }: Pick<Trouble, "kind" | "subject">): string {
  return `${kind} ${subject}`;
}
