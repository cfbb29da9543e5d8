import type { SubscriberStatus } from "../db/schema.ts";
import type { Reason } from "../db/edition-reason.ts";
import type { EditionState } from "../editions/state.ts";
import type { OutcomeReason } from "../ledger/outcome.ts";
import type { DeliveryState } from "../ledger/state.ts";
import type { StoredOutcome } from "../outcomes/store.ts";
import type { QuestionCause } from "../db/values.ts";

export interface Tagged {
  id: number;
  name: string;
  /** A hidden tag selects no articles. */
  hidden?: boolean;
}

/** All that bears on whether one reader got one edition. */
export interface WhyFacts {
  edition: {
    /** `2026-11-24`, or `2026-11-24.2`. */
    name: string;
    state: EditionState;
    reason: Reason | null;
    frozenAt: Date | null;
    /** Retention has removed its deliveries. */
    deliveriesRemoved: boolean;
    /** As they were at the freeze, by position. */
    articles: readonly { position: number; title: string; url: string; tags: readonly Tagged[] }[];
  };
  /** As the reader is now: what they chose at the freeze is known only from the delivery. */
  reader: {
    status: SubscriberStatus;
    allTags: boolean;
    tags: readonly Tagged[];
    createdAt: Date;
    confirmedAt: Date | null;
    leftAt: Date | null;
    pausedUntil: Date | null;
    /** Since when they are paused because they did not answer a question. */
    pausedSince: Date | null;
    pausedFor: QuestionCause | null;
    /** Why the address must not be mailed. */
    suppressedFor: string | null;
  };
  delivery: {
    state: DeliveryState;
    attempts: number;
    outcome: OutcomeReason;
    dueAt: Date | null;
    settledAt: Date | null;
    /** Matched at the freeze; none for all news. */
    tagIds: readonly number[];
    /** Positions of its articles, the newest first. */
    positions: readonly number[];
    /** How many of them fit into one email. */
    inMail: number;
    /** What became of the email after the relay had accepted it, the oldest first. */
    outcomes: readonly StoredOutcome[];
  } | null;
}

/** The outcome of a delivery, or the first reason why there was none. */
export type WhyCode =
  | DeliveryState
  | "deliveries-removed"
  | "missed"
  | "empty"
  | "cancelled"
  | "opening"
  | "not-signed-up"
  | "not-confirmed"
  | "unsubscribed"
  | "suppressed"
  | "paused"
  | "unanswered"
  | "no-tags"
  | "no-match"
  | "changed-tags";

/** Why a date has no edition at all. */
export type NoEditionCode = "date-skipped" | "no-send-day" | "not-due" | "before-start" | "not-opened";

/** What the sentence of a code needs. The catalogue has the texts, as `why.…`. */
export interface WhyData {
  /** `2026-11-24.2`, or the date where there is no edition. */
  edition?: string;
  /** When it happened, or will happen. */
  at?: Date | null;
  /** When the edition's readers were selected. */
  frozen?: Date;
  attempts?: number;
  outcome?: OutcomeReason;
  outcomes?: readonly StoredOutcome[];
  /** Why the edition is in its state. */
  reason?: Reason | null;
  editionState?: EditionState;
  /** A reader who has not confirmed, or confirmed too late. */
  confirmed?: "never" | "late";
  suppressedFor?: string | null;
  /** Why a reader was asked who did not answer. */
  cause?: QuestionCause | null;
  /** The tags that the reader follows; `all` for all news. */
  followed?: "all" | readonly Tagged[];
  articles?: number;
  matching?: number;
}

export interface Explained<Code = WhyCode> {
  code: Code;
  data: WhyData;
}

export interface Why extends Explained {
  articles: WhyArticle[];
}

export interface WhyArticle {
  title: string;
  url: string;
  /** The reader's tags that it matched; none when they follow all news. */
  because: string[];
  /** False for one that did not fit into the email and is only on the web. */
  inMail: boolean;
}

/** Which articles a reader got of an edition and why each, or the first reason why they got nothing. */
export function explainWhy({ edition, reader, delivery }: WhyFacts): Why {
  if (delivery) return { ...ofDelivery(edition, delivery), articles: articlesOf(edition, delivery) };
  return { ...(ofEdition(edition) ?? ofReader(edition, edition.frozenAt!, reader)), articles: [] };
}

/** Why a date has no edition at all. @param facts.since dates due at or before this instant are ignored */
export function explainNoEdition(facts: {
  date: string;
  now: Date;
  /** null when the schedule does not send on that date. */
  dueAt: Date | null;
  skipped: boolean;
  since: Date;
}): Explained<NoEditionCode> {
  const { date: edition, dueAt: at } = facts;
  if (facts.skipped) return { code: "date-skipped", data: { edition } };
  if (at === null) return { code: "no-send-day", data: { edition } };
  if (at > facts.now) return { code: "not-due", data: { edition, at } };
  return { code: at <= facts.since ? "before-start" : "not-opened", data: { edition, at } };
}

function ofEdition({ name: edition, state, reason, frozenAt }: WhyFacts["edition"]): Explained | null {
  if (state === "missed" || state === "empty") return { code: state, data: { edition, reason } };
  if (frozenAt !== null) return null;
  if (state === "cancelled") return { code: state, data: { edition, reason } };
  return { code: "opening", data: { edition } };
}

/** The reader was not among the readers of the freeze. The order is that of the fan-out's own conditions. */
function ofReader(edition: WhyFacts["edition"], frozen: Date, reader: WhyFacts["reader"]): Explained {
  const { status, createdAt, confirmedAt, leftAt, pausedUntil, pausedSince, pausedFor, suppressedFor, allTags, tags } =
    reader;
  const base = { edition: edition.name, frozen };
  if (createdAt > frozen) return { code: "not-signed-up", data: { ...base, at: createdAt } };
  if (edition.deliveriesRemoved) return { code: "deliveries-removed", data: base };
  if (status === "suppressed" && (leftAt === null || leftAt <= frozen)) {
    return { code: "suppressed", data: { ...base, at: leftAt, suppressedFor } };
  }
  if (status === "unsubscribed" && leftAt !== null && leftAt <= frozen) {
    return { code: "unsubscribed", data: { ...base, at: leftAt } };
  }
  if (confirmedAt === null) return { code: "not-confirmed", data: { ...base, at: createdAt, confirmed: "never" } };
  if (confirmedAt > frozen) return { code: "not-confirmed", data: { ...base, at: confirmedAt, confirmed: "late" } };
  if (pausedUntil !== null && pausedUntil > frozen) return { code: "paused", data: { ...base, at: pausedUntil } };
  if (pausedSince !== null && pausedSince <= frozen) {
    return { code: "unanswered", data: { ...base, at: pausedSince, cause: pausedFor } };
  }
  if (!allTags && tags.length === 0) return { code: "no-tags", data: base };
  const own = new Set(tags.map((tag) => tag.id));
  const matching = edition.articles.filter((article) => allTags || article.tags.some((tag) => own.has(tag.id))).length;
  const followed = allTags ? "all" : tags;
  const articles = edition.articles.length;
  return { code: matching > 0 ? "changed-tags" : "no-match", data: { ...base, followed, matching, articles } };
}

function ofDelivery(edition: WhyFacts["edition"], delivery: NonNullable<WhyFacts["delivery"]>): Explained {
  const { state: code, attempts, outcome, dueAt, settledAt, outcomes } = delivery;
  const waits = code === "pending" || code === "deferred";
  const at = waits ? dueAt : settledAt;
  const { state: editionState, reason } = edition;
  return { code, data: { edition: edition.name, at, attempts, outcome, outcomes, editionState, reason } };
}

function articlesOf(
  { articles }: WhyFacts["edition"],
  { positions, tagIds, inMail }: NonNullable<WhyFacts["delivery"]>,
): WhyArticle[] {
  const matched = new Set(tagIds);
  return positions.flatMap((position, index) => {
    const article = articles.find((one) => one.position === position);
    if (!article) return [];
    const because = article.tags.filter((tag) => matched.has(tag.id)).map((tag) => tag.name);
    return [{ title: article.title, url: article.url, because, inMail: index < inMail }];
  });
}
