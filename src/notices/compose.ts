import { domainOf } from "../base/mail-domain.ts";
import type { Clock } from "../base/clock.ts";
import type { Db, NoticeKind } from "../db/schema.ts";
import type { NoticeBuilder } from "../render/notice.ts";
import type { NoticeMail } from "../render/notice-template.ts";
import type { Publication } from "../render/types.ts";
import { publicationName } from "../render/values.ts";
import { openWording, type MessageValues } from "../wording/catalogue.ts";
import { loadSchedule } from "../schedule/store.ts";
import { composeSample, mayHaveSample, type ComposeSampleDeps } from "./compose-sample.ts";
import { changeLink, confirmLink, ownLinks } from "../subscribers/links.ts";
import { newestHeadlines } from "./newest-headlines.ts";
import type { ClaimedNotice } from "../subscribers/notices.ts";
import { findByAddress, findSubscriber, type Subscriber } from "../subscribers/store.ts";
import { erased, findSuppressed, isForGood } from "../subscribers/suppressions.ts";
import { noticeMessageId } from "../subscribers/tokens.ts";

export interface ComposeDeps extends ComposeSampleDeps {
  db: Db;
  clock: Clock;
  publication: Publication;
  options: ComposeSampleDeps["options"] & { publicUrl: string };
}

/** A notice as it goes out, or why it must not go out any more. */
export type Composed = { message: Buffer } | { skip: string };

const mostTags = 20;

/** Makes the mail of a notice, looking again at what it is about: consent and suppression count at this moment. */
export async function composeNotice(
  deps: ComposeDeps,
  builder: NoticeBuilder,
  notice: ClaimedNotice,
): Promise<Composed> {
  const addressKey = notice.address.toLowerCase();
  const reason = (await findSuppressed(deps.db, deps.options.secret, [addressKey])).get(addressKey);
  if (reason !== undefined && isForGood(reason)) return { skip: "the address is never to be mailed" };
  switch (notice.kind) {
    case "confirm":
      return confirmMail(deps, builder, notice);
    case "change":
      return changeMail(deps, builder, notice, reason);
    case "sample":
      // An erasure keeps old lists away, and nobody from what they ask for themselves.
      if (reason !== undefined && reason !== erased) return { skip: "the address is suppressed" };
      return sampleMail(deps, notice);
    case "alert":
      return alertMail(deps, builder, notice);
    case "already":
    case "welcome": {
      const reader = await readerOf(deps, notice);
      if (reader?.status !== "active" || reason !== undefined) return { skip: "the reader is not subscribed" };
      return subscriberMail(deps, builder, notice, reader, notice.kind);
    }
    case "settings": {
      const reader = await readerOf(deps, notice);
      if (!reader || reader.status === "suppressed" || reason !== undefined) {
        return { skip: "the address is no longer a reader's" };
      }
      return settingsMail(deps, builder, notice, reader);
    }
    case "moved":
      if (reason !== undefined && reason !== erased) return { skip: "the address is suppressed" };
      return movedMail(deps, builder, notice);
  }
}

/** Whose mail it is, for as long as the address is theirs: the links in it open their preferences. */
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
  if (!consent?.key || consent.confirmed_at !== null) return { skip: "there is nothing to confirm any more" };
  const said = saidBy(deps, "confirm");
  const follows = followed(deps, "confirm", { tags: consent.tags, allTags: consent.all_tags });
  return printed(deps, builder, notice, {
    ...said,
    paragraphs: [said.lead, follows],
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
  if (!change) return { skip: "the change was made or given up" };
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
  const own = ownLinks(deps.options, reader.key);
  const { say } = openWording(deps.publication.language);
  const schedule = await loadSchedule(deps.db);
  const time = { time: schedule.sendAt, zone: reader.timezone ?? schedule.timezone };
  const articles = kind === "welcome" ? await newestHeadlines(deps.db, reader) : [];
  return printed(deps, builder, notice, {
    ...said,
    paragraphs: [
      said.lead,
      followed(deps, kind, { allTags: reader.allTags, tags: offered(reader) }),
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

/**
 * To the former mailbox, which may be somebody else's by now: it neither names the new address nor leads to the
 * preferences. Its button is the List-Unsubscribe header's address, which older mails there hold already.
 */
async function movedMail(deps: ComposeDeps, builder: NoticeBuilder, notice: ClaimedNotice): Promise<Composed> {
  const { db, options, publication } = deps;
  const reader = notice.subscriberId === null ? null : await findSubscriber(db, notice.subscriberId);
  if (!reader || reader.address.toLowerCase() === notice.address.toLowerCase()) {
    return { skip: "the address has changed back, or the reader was erased" };
  }
  const { timezone } = await loadSchedule(db);
  const time = new Intl.DateTimeFormat(publication.language, {
    dateStyle: "long",
    timeStyle: "short",
    timeZone: timezone,
  }).format(notice.createdAt);
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
  if (!(await mayHaveSample(deps, notice))) return { skip: "the address had one lately" };
  const message = await composeSample(deps, notice, idOf(deps, notice));
  return message ? { message } : { skip: "there is no article yet to make a sample copy of" };
}

/** To an operator, in the words that were found when it was written down. */
function alertMail(deps: ComposeDeps, builder: NoticeBuilder, notice: ClaimedNotice): Promise<Composed> {
  const { headline, sentence, advice } = notice.payload;
  const name = publicationName(deps.publication);
  return printed(deps, builder, notice, {
    subject: `${name}: ${String(headline)}`,
    headline: String(headline),
    paragraphs: [String(sentence)],
    button: { label: "Look at it", url: `${deps.options.publicUrl}/operator` },
    after: typeof advice === "string" ? [advice] : [],
    list: null,
    own: null,
    why: `You get this because ALERT_MAIL of ${name} names your address.`,
  });
}

/** Kinds with texts of their own. */
type SingleKind = Exclude<NoticeKind, "sample" | "alert">;

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

/** What a reader gets news of; with nothing but hidden tags, what they once chose. */
function offered({ tags, hiddenTags }: Subscriber): string[] {
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
