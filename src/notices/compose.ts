import { answerDays } from "../db/values.ts";
import { formatDate } from "../base/dates.ts";
import { currentZone } from "../base/time-zones.ts";
import { sortTags } from "../articles/tag-store.ts";
import { domainOf } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import type { BounceWays } from "../config/mail.ts";
import type { Db, NoticeKind } from "../db/schema.ts";
import type { NoticeBuilder } from "../render/notice.ts";
import type { NoticeMail } from "../render/notice-template.ts";
import type { Publication } from "../render/types.ts";
import { publicationName } from "../render/values.ts";
import { englishWording, type MessageValues, openWording } from "../texts/catalogue.ts";
import { loadSchedule } from "../schedule/store.ts";
import { alertTexts, type AlertMessage } from "../texts/alerts.ts";
import { composeSample, mayHaveSample, type ComposeSampleDeps } from "./compose-sample.ts";
import { openQuestion } from "../subscribers/questions.ts";
import { changeLink, confirmLink, keepLink, mailLinks, ownLinks } from "../subscribers/tokens.ts";
import { noticeMessageId } from "../mail/message-id.ts";
import { newestHeadlines } from "./newest-headlines.ts";
import type { OutcomeCode } from "../ledger/outcome.ts";
import type { ClaimedNotice } from "../subscribers/notices.ts";
import { findByAddress, findSubscriber, type Subscriber } from "../subscribers/store.ts";
import { erased, findSuppressed, isForGood } from "../subscribers/suppressions.ts";

export interface ComposeDeps extends ComposeSampleDeps {
  db: Db;
  clock: Clock;
  publication: Publication;
  options: ComposeSampleDeps["options"] & BounceWays & { publicUrl: string };
}

/** The message of a notice, or why it must not be sent. */
export type Composed = { message: Buffer } | { skip: OutcomeCode };

const mostTags = 20;
const dayMs = 24 * 3_600_000;

/** Composes a notice. Consent and suppression are checked again, because they can have changed since it was queued. */
export async function composeNotice(
  deps: ComposeDeps,
  builder: NoticeBuilder,
  notice: ClaimedNotice,
): Promise<Composed> {
  const addressKey = notice.address.toLowerCase();
  const reason = (await findSuppressed(deps.db, deps.options.secret, [addressKey])).get(addressKey);
  if (reason !== undefined && isForGood(reason)) return { skip: "complained" };
  switch (notice.kind) {
    case "confirm":
      return confirmMail(deps, builder, notice);
    case "change":
      return changeMail(deps, builder, notice, reason);
    case "sample":
      // An erasure blocks old lists and not a reader's own requests.
      if (reason !== undefined && reason !== erased) return { skip: "suppressed" };
      return sampleMail(deps, notice);
    case "test":
      return testMail(deps, builder, notice);
    case "alert":
      return alertMail(deps, builder, notice);
    case "already":
    case "welcome": {
      const reader = await readerOf(deps, notice);
      if (reader?.status !== "active" || reason !== undefined) return { skip: "not_subscribed" };
      return subscriberMail(deps, builder, notice, reader, notice.kind);
    }
    case "settings": {
      const reader = await readerOf(deps, notice);
      if (!reader || reader.status === "suppressed" || reason !== undefined) {
        return { skip: "not_subscribed" };
      }
      return settingsMail(deps, builder, notice, reader);
    }
    case "question":
      return questionMail(deps, builder, notice, reason);
    case "moved":
      if (reason !== undefined && reason !== erased) return { skip: "suppressed" };
      return movedMail(deps, builder, notice);
  }
}

/** The reader, while the address is theirs: links in the email open their preferences. */
async function readerOf({ db }: ComposeDeps, notice: ClaimedNotice): Promise<Subscriber | null> {
  const reader = notice.subscriberId === null ? null : await findSubscriber(db, notice.subscriberId);
  return reader?.address.toLowerCase() === notice.address.toLowerCase() ? reader : null;
}

async function confirmMail(deps: ComposeDeps, builder: NoticeBuilder, notice: ClaimedNotice): Promise<Composed> {
  const consent = await deps.db
    .selectFrom("consents")
    .select(["key", "tags", "all_tags", "confirmed_at"])
    .where("id", "=", notice.consentId)
    .executeTakeFirst();
  if (!consent?.key || consent.confirmed_at !== null) return { skip: "nothing_to_confirm" };
  const said = saidBy(deps, "confirm");
  // Anyone can enter somebody else's address, so this email has no text that was typed into a form.
  const sorted = await sortTags(deps.db, consent.tags);
  const named = consent.tags.filter((tag) => sorted.offered.has(tag) || sorted.hidden.has(tag));
  const n = sorted.requested.size + sorted.unknown.length;
  const { say } = openWording(deps.publication.language);
  return printed(deps, builder, notice, {
    ...said,
    paragraphs: [
      said.lead,
      ...(named.length > 0 || consent.all_tags
        ? [followed(deps, "confirm", { tags: named, allTags: consent.all_tags })]
        : []),
      ...(n > 0 && !consent.all_tags ? [say("notice.confirm.new_tags", { n })] : []),
    ],
    button: { label: said.button, url: confirmLink(deps.options, consent.key, notice.createdAt) },
    list: null,
    own: null,
  });
}

async function changeMail(
  deps: ComposeDeps,
  builder: NoticeBuilder,
  notice: ClaimedNotice,
  suppressed: string | undefined,
): Promise<Composed> {
  const change = await deps.db
    .selectFrom("address_changes")
    .select("key")
    .where("id", "=", Number(notice.payload["changeId"]))
    .executeTakeFirst();
  if (!change) return { skip: "nothing_to_confirm" };
  const other = await findByAddress(deps.db, notice.address.toLowerCase());
  if (other?.status === "active" && suppressed === undefined)
    return subscriberMail(deps, builder, notice, other, "already");
  const said = saidBy(deps, "change");
  return printed(deps, builder, notice, {
    ...said,
    paragraphs: [said.lead],
    button: { label: said.button, url: changeLink(deps.options, change.key, notice.createdAt) },
    list: null,
    own: null,
  });
}

async function subscriberMail(
  deps: ComposeDeps,
  builder: NoticeBuilder,
  notice: ClaimedNotice,
  reader: Subscriber,
  kind: "already" | "welcome",
): Promise<Composed> {
  const said = saidBy(deps, kind);
  const own = mailLinks(deps.options, reader.key);
  const { say } = openWording(deps.publication.language);
  const schedule = await loadSchedule(deps.db);
  const time = { time: schedule.sendAt, zone: currentZone(reader.timezone ?? schedule.timezone) };
  const articles = kind === "welcome" ? await newestHeadlines(deps.db, reader) : [];
  return printed(deps, builder, notice, {
    ...said,
    paragraphs: [
      said.lead,
      followed(deps, kind, { allTags: reader.allTags, tags: offeredTags(reader) }),
      ...(kind === "welcome" ? [say("notice.welcome.hour", time)] : []),
    ],
    button: { label: said.button, url: own.preferences },
    list: articles.length === 0 ? null : { title: say("notice.welcome.latest"), articles },
    own,
  });
}

function settingsMail(
  deps: ComposeDeps,
  builder: NoticeBuilder,
  notice: ClaimedNotice,
  reader: Subscriber,
): Promise<Composed> {
  const said = saidBy(deps, "settings");
  return printed(deps, builder, notice, {
    ...said,
    paragraphs: [said.lead],
    button: { label: said.button, url: ownLinks(deps.options, reader.key).preferences },
    list: null,
    own: null,
  });
}

async function questionMail(
  deps: ComposeDeps,
  builder: NoticeBuilder,
  notice: ClaimedNotice,
  suppressed: string | undefined,
): Promise<Composed> {
  const { db, options, publication } = deps;
  const reader = await readerOf(deps, notice);
  if (reader?.status !== "active" || suppressed !== undefined) return { skip: "not_subscribed" };
  const cause = await openQuestion(db, notice.id);
  if (cause === null) return { skip: "question_answered" };
  const { timezone } = await loadSchedule(db);
  const lastDay = new Date(deps.clock.now().getTime() + answerDays * dayMs);
  const date = formatDate(lastDay, publication.language, { dateStyle: "long", timeZone: timezone });
  const said = saidBy(deps, "question", { cause, date });
  return printed(deps, builder, notice, {
    ...said,
    paragraphs: [said.lead],
    button: { label: said.button, url: keepLink(options, reader.key) },
    list: null,
    own: mailLinks(options, reader.key),
  });
}

/**
 * For the former mailbox, which can belong to somebody else by now: it does not name the new address or link to the
 * preferences. Its button is the List-Unsubscribe link, which older emails in that mailbox already contain.
 */
async function movedMail(deps: ComposeDeps, builder: NoticeBuilder, notice: ClaimedNotice): Promise<Composed> {
  const { db, options, publication } = deps;
  const reader = notice.subscriberId === null ? null : await findSubscriber(db, notice.subscriberId);
  if (!reader || reader.address.toLowerCase() === notice.address.toLowerCase()) {
    return { skip: "address_changed_back" };
  }
  const { timezone } = await loadSchedule(db);
  const style = { dateStyle: "long", timeStyle: "short", timeZone: timezone } as const;
  const time = formatDate(notice.createdAt, publication.language, style);
  const said = saidBy(deps, "moved", {
    time: `${time} (${timezone})`,
    address: String(notice.payload["to"]),
    url: `${options.publicUrl}/subscribe`,
  });
  return printed(deps, builder, notice, {
    ...said,
    paragraphs: [said.lead],
    button: { label: said.button, url: ownLinks(options, reader.key).oneClick },
    list: null,
    own: null,
  });
}

async function sampleMail(deps: ComposeDeps, notice: ClaimedNotice): Promise<Composed> {
  if (!(await mayHaveSample(deps, notice))) return { skip: "sample_limit" };
  const message = await composeSample(deps, notice, idOf(deps, notice));
  return message ? { message } : { skip: "no_article" };
}

/** For nobody: its address doesn't exist. */
function testMail(deps: ComposeDeps, builder: NoticeBuilder, notice: ClaimedNotice): Promise<Composed> {
  const { say } = englishWording();
  return printed(deps, builder, notice, {
    subject: say("notice.test.subject"),
    headline: say("notice.test.headline"),
    paragraphs: [say("notice.test.lead")],
    button: null,
    after: [],
    list: null,
    own: null,
    why: say("notice.test.why"),
  });
}

/** For an operator, in the publication's language. */
function alertMail(deps: ComposeDeps, builder: NoticeBuilder, notice: ClaimedNotice): Promise<Composed> {
  const wording = openWording(deps.publication.language);
  const { headline, sentence, advice } = alertTexts(notice.payload as unknown as AlertMessage, wording);
  const publication = publicationName(deps.publication);
  return printed(deps, builder, notice, {
    subject: wording.say("alert.subject", { publication, headline }),
    headline,
    paragraphs: [sentence],
    button: { label: wording.say("alert.button"), url: `${deps.options.publicUrl}/operator` },
    after: advice === null ? [] : [advice],
    list: null,
    own: null,
    why: wording.say("alert.why", { publication }),
  });
}

/** Kinds with their own texts in the catalogue. */
type SingleKind = Exclude<NoticeKind, "sample" | "alert" | "test">;

type Said = Pick<NoticeMail, "subject" | "headline" | "after" | "why"> & { lead: string; button: string };

function saidBy({ publication }: ComposeDeps, kind: SingleKind, values: MessageValues = {}): Said {
  const { say } = openWording(publication.language);
  const named = { publication: publicationName(publication), ...values };
  return {
    subject: say(`notice.${kind}.subject`, named),
    headline: say(`notice.${kind}.headline`),
    lead: say(`notice.${kind}.lead`, named),
    button: say(`notice.${kind}.button`),
    after: kind === "welcome" ? [] : [say(`notice.${kind}.after`, named)],
    why: say(`notice.${kind}.why`, named),
  };
}

/** The tags that select articles for a reader; if all of them are hidden, the chosen ones. */
function offeredTags({ tags, hiddenTags }: Subscriber): string[] {
  const shown = tags.filter((tag) => !hiddenTags.includes(tag));
  return shown.length === 0 ? tags : shown;
}

function followed(
  { publication }: ComposeDeps,
  kind: "confirm" | "already" | "welcome",
  choice: { tags: readonly string[]; allTags: boolean },
): string {
  const { say } = openWording(publication.language);
  if (choice.allTags) return say(`notice.${kind}.all`);
  const shown = choice.tags.slice(0, mostTags).join(", ");
  const more = choice.tags.length - mostTags;
  const tags = more > 0 ? say("mail.tags_more", { tags: shown, n: more }) : shown;
  return say(`notice.${kind}.tags`, { tags });
}

async function printed(
  deps: ComposeDeps,
  builder: NoticeBuilder,
  notice: ClaimedNotice,
  parts: Omit<NoticeMail, "to" | "messageId" | "date">,
): Promise<Composed> {
  const { subject, headline, paragraphs, button, after, list, own, why } = parts;
  const head = { to: notice.address, messageId: idOf(deps, notice), date: deps.clock.now() };
  return { message: await builder.print({ ...head, subject, headline, paragraphs, button, after, list, own, why }) };
}

function idOf({ options, publication }: ComposeDeps, notice: ClaimedNotice): string {
  return noticeMessageId(options.secret, notice, domainOf(publication.from.address));
}
