import type { Clock } from "../base/clock.ts";
import { domainOf } from "../base/address.ts";
import { recentArticles } from "../articles/store.ts";
import type { TagChoice } from "../articles/tag-choice.ts";
import { tagKey } from "../articles/tags.ts";
import type { Db } from "../db/schema.ts";
import { assemble, assembleHtml, assembleText, prepare, type Prepared, subjectLine } from "../render/assemble.ts";
import { fitPositions } from "../render/fit.ts";
import type {
  EditionArticle,
  EditionName,
  EditionWords,
  EmailTemplates,
  Pictures,
  Publication,
  ReaderMail,
} from "../render/types.ts";
import { loadSchedule } from "../schedule/store.ts";
import { localDate } from "../schedule/calendar.ts";
import { type Edition, getEditionById, listPublished } from "./store.ts";
import { editionName } from "../base/edition-name.ts";
import { sql } from "kysely";
import { createHash, randomUUID } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { remember } from "../base/remember.ts";
import { compileStencil } from "../render/compile.ts";
import { senderOf } from "../render/publication.ts";
import { frozenArticles } from "./frozen-articles.ts";

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
  /** Whether it shows pictures of articles, which come from other sites. */
  pictures: boolean;
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
  const matching = matchingArticles(articles, choice);
  if (matching.length === 0) return null;
  const home = `${options.publicUrl}/`;
  const positions = matching.map(({ position }) => position).toSorted((a, b) => a - b);
  const mail: ReaderMail = {
    to: reader.to,
    messageId: reader.messageId ?? `sample.${editionName(of.edition)}@${domainOf(publication.from.address)}`,
    ...fitPositions(prepared.stencil, positions, options.maxArticles),
    matchedTags: all ? "all" : matchedTags(matching, ids),
    links: { preferences: home, unsubscribe: home, oneClick: home, mailto: null, moreUrl: options.publicUrl + of.path },
    date: clock.now(),
  };
  return {
    subject: subjectLine(prepared, mail),
    articles: mail.positions.length,
    pictures: (of.pictures ?? publication.pictures) !== "off",
    html: () => assembleHtml(prepared, mail),
    text: () => assembleText(prepared, mail),
    message: () => assemble(prepared, mail),
  };
}

/** Those that a reader of the chosen tags gets, or all when none was chosen. */
export function matchingArticles<T extends Pick<EditionArticle, "tags">>(
  articles: T[],
  choice: Pick<TagChoice, "known" | "spellings">,
): T[] {
  if (choice.known.length === 0) return articles;
  const ids = byKey(choice);
  return articles.filter(({ tags }) => tags.some((tag) => ids.has(tagKey(tag))));
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

/** Editions to look through: a month of daily ones. */
const lookedThrough = 30;

/**
 * The newest sent edition with an article of any of these tags, among the last 30.
 * @param names every spelling under which a tag may have been frozen; a merge took away the id it had then
 * @param ids their tags; a rename took away the name it had then
 */
async function newestWithTags(
  db: Db,
  { names, ids }: { names: readonly string[]; ids: readonly number[] },
): Promise<Edition | undefined> {
  const { rows } = await sql<{ id: number }>`
    select id from (
      select id, date, number from editions where sending_at is not null
      order by date desc, number desc limit ${lookedThrough}
    ) e
    where exists (
      select 1 from edition_articles ea where ea.edition_id = e.id
        and (ea.tag_ids && ${ids}::int[] or ea.snapshot -> 'tags' ?| ${names}::text[])
    )
    order by date desc, number desc limit 1`.execute(db);
  return rows[0] && getEditionById(db, rows[0].id);
}

/** What a sample copy is made of. */
export interface SampleOf {
  edition: EditionName;
  /** Where all of it stands on the web. */
  path: string;
  /** Two with the same key have the same articles. */
  key: string;
  words?: EditionWords;
  /** Shows pictures other than the publication's setting says, before it is changed. */
  pictures?: Pictures;
  /** In any order; positions are unique. */
  articles(): Promise<EditionArticle[]>;
}

/** A sample copy with everything done that does not depend on its tags. */
export interface SampleStencil {
  prepared: Prepared;
  articles: Pick<EditionArticle, "position" | "tags">[];
}

/** Makes the stencil of a sample copy, or finds the one that this process has made already. */
export type SampleStencils = (of: SampleOf) => Promise<SampleStencil>;

/** A stencil holds its articles in both forms: some 4 kB each. */
const mostKept = 4;

/**
 * Keeps the stencils used last, since compiling MJML takes a hundred times as long as filling a stencil. Requests that
 * come together share one compile; a failed one is not kept, and a changed template makes a new one.
 */
export function createSampleStencils(deps: {
  publication: Publication;
  templates(): Promise<EmailTemplates>;
  templateFolder: string;
}): SampleStencils {
  const kept = new Map<string, Promise<SampleStencil>>();
  return async (of) => {
    const key = `${of.key} ${of.pictures ?? ""} ${await stampOf(deps.templateFolder)}`;
    const made = kept.get(key) ?? make(deps, of);
    remember(kept, key, made, mostKept);
    try {
      return await made;
    } catch (error) {
      if (kept.get(key) === made) kept.delete(key);
      throw error;
    }
  };
}

export function sampleOfEdition(
  db: Db,
  edition: Pick<Edition, "id" | "date" | "number" | "sending_at" | keyof EditionWords>,
): SampleOf {
  const { id, date, number, introduction, subject, sending_at } = edition;
  return {
    edition: { date, number },
    path: `/editions/${editionName(edition)}`,
    // Its texts may change until it is sent.
    key: `edition ${id} ${sending_at === null ? randomUUID() : ""}`,
    words: { introduction, subject },
    articles: () => frozenArticles(db, id),
  };
}

/** Of articles that no edition has frozen. @param path where they stand on the web */
export function sampleOfArticles(
  edition: EditionName,
  articles: EditionArticle[],
  path: string,
  own?: EditionWords,
): SampleOf {
  const words = { introduction: own?.introduction ?? null, subject: own?.subject ?? null };
  const content = createHash("sha256")
    .update(JSON.stringify([words, articles]))
    .digest("base64url");
  return { edition, path, key: `articles ${editionName(edition)} ${content}`, words, articles: async () => articles };
}

async function make(
  deps: { publication: Publication; templates(): Promise<EmailTemplates> },
  { edition, articles, words, pictures = deps.publication.pictures }: SampleOf,
): Promise<SampleStencil> {
  const publication = { ...deps.publication, pictures };
  const all = await articles();
  const input = { publication, edition, articles: all, mode: "sample" as const, ...(words ? { words } : {}) };
  const stencil = await compileStencil(await deps.templates(), input);
  return {
    prepared: prepare(stencil, senderOf(publication, edition)),
    articles: all.map(({ position, tags }) => ({ position, tags })),
  };
}

/** Changes whenever a file of the folder does. */
async function stampOf(folder: string): Promise<string> {
  const names = (await readdir(folder)).toSorted();
  const stats = await Promise.all(names.map((name) => stat(join(folder, name))));
  return stats.map(({ mtimeMs, size }, i) => `${names[i]} ${mtimeMs} ${size}`).join();
}
