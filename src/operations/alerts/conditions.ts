import { tooManyGone } from "../../deliveries/gone.ts";
import { emptyWithoutReason, type EmptyEdition } from "../../editions/emptiness.ts";
import { reasonInWords, type Reason } from "../../editions/reason.ts";
import type { EditionState } from "../../editions/state.ts";

export const alertKinds = [
  "edition-held",
  "edition-missed",
  "edition-empty",
  "not-sent",
  "suppressions",
  "unknown",
  "source-failing",
  "relay",
] as const;
export type AlertKind = (typeof alertKinds)[number];

/** A problem that operators are alerted to. */
export interface Trouble {
  kind: AlertKind;
  /** What has the problem. Kind and subject together identify a problem across checks. */
  subject: string;
  sentence: string;
}

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
  past: EmptyEdition["past"] | null;
}

export interface AlertFacts {
  now: Date;
  /** Editions of the last week. */
  editions: readonly WatchedEdition[];
  feeds: readonly { id: number; title: string | null; failures: number; lastError: string | null; wellAt: Date }[];
  /** The relay's problem as seen from this host. */
  relay: { host: string; reason: string | null };
  /** Percent of an edition's readers. */
  notSentLimit: number;
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
};

/** All present problems. */
export function findTrouble(facts: AlertFacts): Trouble[] {
  const { editions, feeds, relay, now } = facts;
  const found: Trouble[] = editions.flatMap((edition) => ofEdition(edition, facts.notSentLimit));
  for (const feed of feeds) {
    if (feed.failures === 0 || now.getTime() - feed.wellAt.getTime() < feedPatienceMs) continue;
    const name = feed.title ?? `Source ${feed.id}`;
    const why = feed.lastError === null ? "" : `: ${feed.lastError}`;
    found.push({
      kind: "source-failing",
      subject: `source ${feed.id}`,
      sentence: ended(`${name} has failed for more than a day${why}`),
    });
  }
  if (relay.reason !== null) {
    const sentence = ended(`The relay is not accepting email from ${relay.host}: ${relay.reason}`);
    found.push({ kind: "relay", subject: relaySubject(relay.host), sentence });
  }
  return found;
}

export function relaySubject(host: string): string {
  return `relay of ${host}`;
}

function ofEdition(edition: WatchedEdition, limit: number): Trouble[] {
  const { id, name, state, reason, selected, rejected, expired, unknown } = edition;
  const subject = `edition ${id}`;
  const because = reason === null ? "" : ` ${ended(reasonInWords(reason)!)}`;
  const found: Trouble[] = [];
  if (state === "held") {
    const sentence = `Edition ${name} is held. It is not sent until it is approved.${because}`;
    found.push({ kind: "edition-held", subject, sentence });
  }
  if (state === "missed" && !edition.overtaken) {
    found.push({ kind: "edition-missed", subject, sentence: `Edition ${name} was not sent.${because}` });
  }
  const empty = edition.past === null ? null : emptyWithoutReason({ ...edition, past: edition.past });
  if (empty !== null) found.push({ kind: "edition-empty", subject, sentence: empty });
  if (state === "paused" && reason?.code === "relay_refuses_all") {
    found.push({ kind: "relay", subject, sentence: `Sending of edition ${name} has stopped.${because}` });
  }
  const { suppressed, answered, goneAccepted } = edition;
  if (state === "paused" && reason?.code === "many_addresses_gone") {
    found.push({ kind: "suppressions", subject, sentence: `Sending of edition ${name} has stopped.${because}` });
  }
  // A small edition is finished before it can be paused.
  if (state === "finished" && !goneAccepted && tooManyGone({ gone: suppressed, answered, mails: answered })) {
    const sentence =
      `The relay reported that ${number(suppressed)} of ${number(selected)} addresses of ${name} do not exist. ` +
      "They are suppressed.";
    found.push({ kind: "suppressions", subject, sentence });
  }
  const notSent = rejected + expired;
  if (state === "finished" && notSent >= fewestNotSent && notSent * 100 > limit * selected) {
    const share = ((100 * notSent) / selected).toFixed(1);
    const sentence =
      `${number(notSent)} of ${number(selected)} deliveries of ${name} (${share}%) were not sent: ` +
      `${number(rejected)} rejected, ${number(expired)} expired.`;
    found.push({ kind: "not-sent", subject, sentence });
  }
  if (unknown > 0) {
    const many = unknown === 1 ? "1 delivery" : `${number(unknown)} deliveries`;
    found.push({ kind: "unknown", subject, sentence: `The relay did not confirm ${many} of ${name}.` });
  }
  return found;
}

const number = (n: number): string => n.toLocaleString("en");
const ended = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
