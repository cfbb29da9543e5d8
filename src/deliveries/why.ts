import type { SubscriberStatus } from "../db/schema.ts";
import type { DeliveryState, EditionState } from "../editions/state.ts";
import { moment } from "./why-no-edition.ts";

export interface Tagged {
  id: number;
  name: string;
}

/** All that bears on whether one reader got one edition. */
export interface WhyFacts {
  edition: {
    /** `2026-11-24`, or `2026-11-24.2`. */
    name: string;
    state: EditionState;
    reason: string | null;
    frozenAt: Date | null;
    /** Of the times in the answer. */
    timezone: string;
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
    /** Why the address must not be mailed. */
    suppressedFor: string | null;
  };
  delivery: {
    state: DeliveryState;
    attempts: number;
    reply: string | null;
    dueAt: Date | null;
    settledAt: Date | null;
    /** Matched at the freeze; none for all news. */
    tagIds: readonly number[];
    /** Positions of its articles, the newest first. */
    positions: readonly number[];
    /** How many of them fit into one email. */
    inMail: number;
  } | null;
}

/** The outcome of a delivery, or the first reason why there was none. */
export type WhyCode =
  | DeliveryState
  | "missed"
  | "empty"
  | "cancelled"
  | "opening"
  | "not-signed-up"
  | "not-confirmed"
  | "unsubscribed"
  | "suppressed"
  | "paused"
  | "no-tags"
  | "no-match"
  | "changed-tags";

export interface Why {
  code: WhyCode;
  /** For an operator to read out. */
  sentence: string;
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

type Told = Pick<Why, "code" | "sentence">;

function ofEdition({ name, state, reason, frozenAt }: WhyFacts["edition"]): Told | null {
  const because = reason === null ? "" : ` ${reason}`;
  if (state === "missed") return { code: "missed", sentence: `Nobody got ${name}: its hour was missed.${because}` };
  if (state === "empty") return { code: "empty", sentence: `Nobody got ${name}: there was nothing to send.${because}` };
  if (frozenAt !== null) return null;
  if (state === "cancelled") return { code: "cancelled", sentence: `Nobody got ${name}: it was cancelled.${because}` };
  return { code: "opening", sentence: `${name} is being made: its readers are not fixed yet.` };
}

/** The reader was not among the readers of the freeze. The order is that of the fan-out's own conditions. */
function ofReader(edition: WhyFacts["edition"], frozenAt: Date, reader: WhyFacts["reader"]): Told {
  const { name, timezone, articles } = edition;
  const at = (instant: Date): string => moment(instant, timezone);
  const fixed = `the readers of ${name} were fixed at ${at(frozenAt)}`;
  const { status, createdAt, confirmedAt, leftAt, pausedUntil, suppressedFor, allTags, tags } = reader;
  if (createdAt > frozenAt) {
    return { code: "not-signed-up", sentence: `They signed up at ${at(createdAt)}, and ${fixed}, before that.` };
  }
  if (status === "suppressed" && (leftAt === null || leftAt <= frozenAt)) {
    const why = suppressedFor === null ? "" : ` (${suppressedFor})`;
    const since = leftAt === null ? "" : ` since ${at(leftAt)}`;
    return { code: "suppressed", sentence: `Their address is suppressed${since}${why}, so it is never mailed.` };
  }
  if (status === "unsubscribed" && leftAt !== null && leftAt <= frozenAt) {
    return { code: "unsubscribed", sentence: `They had unsubscribed at ${at(leftAt)}, before ${fixed}.` };
  }
  if (confirmedAt === null) {
    return { code: "not-confirmed", sentence: `They asked for it at ${at(createdAt)} and have not confirmed.` };
  }
  if (confirmedAt > frozenAt) {
    return { code: "not-confirmed", sentence: `They confirmed at ${at(confirmedAt)}, and ${fixed}, before that.` };
  }
  if (pausedUntil !== null && pausedUntil > frozenAt) {
    return { code: "paused", sentence: `They pause their mails until ${at(pausedUntil)}, and ${fixed}.` };
  }
  if (!allTags && tags.length === 0) return { code: "no-tags", sentence: "They follow no tags, and not all news." };
  const own = new Set(tags.map((tag) => tag.id));
  const matching = articles.filter((article) => allTags || article.tags.some((tag) => own.has(tag.id))).length;
  const followed = allTags ? "all news" : tags.map((tag) => tag.name).join(", ");
  if (matching > 0) {
    return {
      code: "changed-tags",
      sentence:
        `What they follow now (${followed}) matches ${matching} of its ${articles.length} articles, but did not, or they ` +
        `were not subscribed, when ${fixed}: a change counts from the next edition on.`,
    };
  }
  return {
    code: "no-match",
    sentence: `None of the ${articles.length} articles of ${name} has a tag that they follow (${followed}).`,
  };
}

function ofDelivery(edition: WhyFacts["edition"], delivery: NonNullable<WhyFacts["delivery"]>): Told {
  const { state: code, attempts, reply, dueAt, settledAt } = delivery;
  const at = (instant: Date | null): string => (instant === null ? "" : ` at ${moment(instant, edition.timezone)}`);
  const said = reply === null ? "." : `: ${ended(reply)}`;
  const tries = attempts === 1 ? "one try" : `${attempts} tries`;
  const sentences: Record<DeliveryState, () => string> = {
    sent: () => `The relay took it${at(settledAt)}${said}`,
    sending: () => "It is being handed to the relay at this moment.",
    pending: () => waiting(edition, at(dueAt)),
    deferred: () =>
      `It was put off after ${tries}${said} The next comes${at(dueAt)}` +
      `${edition.state === "paused" ? ", once the edition is resumed" : ""}.`,
    rejected: () => `It was refused for good${at(settledAt)}${said}`,
    expired: () => `It was given up${at(settledAt)} after ${tries}${said}`,
    unknown: () => `Nobody knows whether it arrived${said} It is sent again only if an operator says so.`,
    skipped: () => `They were to get it, and it was left out${at(settledAt)}${said}`,
  };
  return { code, sentence: sentences[code]() };
}

function waiting({ state, reason }: WhyFacts["edition"], leaves: string): string {
  const because = reason === null ? "" : ` ${ended(reason)}`;
  if (state === "opening") return `It is not sent yet: the edition's mail is being made.${because}`;
  if (state === "held") return `It is not sent yet: the edition is held until an operator approves it.${because}`;
  if (state === "paused") return `It is not sent yet: the edition is paused.${because}`;
  return leaves === "" ? "It waits for its turn." : `It leaves${leaves}.`;
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

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
