import type { Clock } from "../base/clock.ts";
import { domainOf } from "../base/mail-domain.ts";
import { recentArticles } from "../articles/recent.ts";
import type { TagChoice } from "../articles/tag-choice.ts";
import { tagKey } from "../articles/tags.ts";
import type { Db } from "../db/schema.ts";
import { assemble, assembleHtml, assembleText, subjectLine } from "../render/assemble.ts";
import { fitPositions } from "../render/fit.ts";
import type { EditionArticle, Publication, ReaderMail } from "../render/types.ts";
import { loadSchedule } from "../schedule/store.ts";
import { localDate } from "../schedule/calendar.ts";
import { sampleOfArticles, sampleOfEdition, type SampleOf, type SampleStencils } from "./sample-stencils.ts";
import { listPublished, type Edition } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { newestWithTags } from "./with-tags.ts";

export interface SampleDeps {
  db: Db;
  clock: Clock;
  publication: Publication;
  options: { publicUrl: string; maxArticles: number };
  samples: SampleStencils;
}

/** An email as a reader of some tags would get it, but marked as a sample and with inert personal links. */
export interface SampleCopy {
  subject: string;
  /** Articles in it; those that are only on the web are not counted. */
  articles: number;
  html(): string;
  text(): string;
  /** The whole message (RFC 5322). */
  message(): Buffer;
}

/** Whom a sample copy shown on a page is addressed to (RFC 2606). */
export const sampleReader = "reader@example.com";
/** Newest articles to choose from while no edition has the tags. */
const newestArticles = 200;

/**
 * The sample copy for a reader of the chosen tags, or of all news when none was chosen; null when no article matches. It
 * is made like a real email (compile, fit, assemble) and is not stored.
 * @throws Refusal 422 when the template does not compile or the address cannot stand in a header
 */
export async function printSample(
  deps: SampleDeps,
  of: SampleOf,
  choice: Pick<TagChoice, "known" | "spellings">,
  reader: { to: string; messageId?: string } = { to: sampleReader },
): Promise<SampleCopy | null> {
  const { publication, options, clock } = deps;
  const { prepared, articles } = await deps.samples(of);
  const all = choice.known.length === 0;
  const ids = byKey(choice);
  const matching = all ? articles : articles.filter(({ tags }) => tags.some((tag) => ids.has(tagKey(tag))));
  if (matching.length === 0) return null;
  const home = `${options.publicUrl}/`;
  const positions = matching.map(({ position }) => position).toSorted((a, b) => a - b);
  const mail: ReaderMail = {
    to: reader.to,
    messageId: reader.messageId ?? `sample.${editionName(of.edition)}@${domainOf(publication.from.address)}`,
    ...fitPositions(prepared.stencil, positions, options.maxArticles),
    matchedTags: all ? "all" : matchedTags(matching, ids),
    links: { preferences: home, unsubscribe: home, oneClick: home, moreUrl: options.publicUrl + of.path },
    date: clock.now(),
  };
  return {
    subject: subjectLine(prepared, mail),
    articles: mail.positions.length,
    html: () => assembleHtml(prepared, mail),
    text: () => assembleText(prepared, mail),
    message: () => assemble(prepared, mail),
  };
}

export interface NewestSample {
  of: SampleOf;
  /** null when it is made of the newest articles, because no sent edition has any of the tags. */
  edition: Edition | null;
  /** Whether a newer edition had none of the tags. */
  passedOver: boolean;
}

/** What the sample copy of these tags is made of: the newest edition that brought any of them. */
export async function newestSample(
  deps: SampleDeps,
  choice: Pick<TagChoice, "known" | "spellings">,
): Promise<NewestSample> {
  const { db, clock } = deps;
  const [newest] = await listPublished(db, 1);
  const all = choice.known.length === 0;
  const edition = (all ? newest : await newestWithTags(db, namedBy(choice))) ?? null;
  if (edition) return { of: sampleOfEdition(db, edition), edition, passedOver: edition.id !== newest?.id };
  const now = clock.now();
  const { timezone } = await loadSchedule(db);
  const articles = await recentArticles(db, { now, limit: newestArticles });
  const name = { date: localDate(now, timezone), number: 1 };
  return { of: sampleOfArticles(name, articles, "/editions"), edition: null, passedOver: newest !== undefined };
}

/** A tag that was only spelt in another way since has the same key. */
function byKey({ spellings }: Pick<TagChoice, "spellings">): Map<string, number> {
  return new Map([...spellings].map(([name, id]) => [tagKey(name), id]));
}

function namedBy({ known, spellings }: Pick<TagChoice, "known" | "spellings">): { names: string[]; ids: number[] } {
  return { names: [...spellings.keys()], ids: known.map(({ id }) => id) };
}

/** Those of the chosen tags that the articles have, as the edition names them, in the order of a real email: by ID. */
function matchedTags(articles: Pick<EditionArticle, "tags">[], ids: ReadonlyMap<string, number>): string[] {
  const names = new Map<number, string>();
  for (const { tags } of articles) {
    for (const tag of tags) {
      const id = ids.get(tagKey(tag));
      if (id !== undefined && !(tag >= (names.get(id) ?? "\uffff"))) names.set(id, tag);
    }
  }
  return [...names].toSorted(([a], [b]) => a - b).map(([, name]) => name);
}
