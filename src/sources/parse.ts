import { reasonOf, Refusal } from "../base/errors.ts";
import { canonicalKey } from "../articles/normalise.ts";
import { joinHalves, plainText } from "../articles/text.ts";
import { clip } from "../render/plain.ts";
import { absoluteUrl, withoutUser } from "./address.ts";
import { type FeedDocument, type FeedProblem, openDocument, refuse } from "./parse-document.ts";
import {
  defaultOptions,
  type FeedItem,
  type ItemFault,
  type ItemNote,
  type RawFeed,
  type RawItem,
  type RawText,
  type ReadOptions,
  toFeedItem,
} from "./parse-item.ts";
import { atomPictures, jsonPictures, rssPictures } from "./parse-picture.ts";
import { countItems, recoverFeed } from "./parse-recover.ts";
import { DomUtils, parseDocument } from "htmlparser2";
import { detectJsonFeed, parseAtomFeed, parseJsonFeed, parseRdfFeed, parseRssFeed } from "feedsmith";

export type { FeedItem } from "./parse-item.ts";

export interface ParsedFeed {
  title: string | null;
  siteUrl: string | null;
  /** In the document's order. */
  items: FeedItem[];
  /** How many items could not be read. */
  lost: number;
  /** One for each item that could not be read, then those of the document. */
  problems: FeedProblem[];
  /** What else is wrong with the document, one of each kind: how often, and an example. Its items were read. */
  warnings: FeedProblem[];
}

const mostItems = 1000;

/**
 * Reads RSS 0.9x, 1.0 and 2.0, Atom and JSON Feed. A broken item is a problem, not a failure. Only the first 1,000 items
 * are read.
 * @throws Refusal 422 when the document is not a feed, or no item can be read
 */
export function parseFeed(text: string, feedUrl: string, options: ReadOptions = defaultOptions): ParsedFeed {
  const base = withoutUser(feedUrl);
  const document = openDocument(joinHalves(text), base);
  const raw = read(document, base);
  const notes = new Map<string, ItemNote>();
  const note = (one: ItemNote): void => {
    const earlier = notes.get(one.code);
    notes.set(one.code, earlier ? { ...earlier, n: earlier.n + one.n } : one);
  };
  const results = raw.items
    .slice(0, mostItems)
    .map((item, index): FeedItem | FeedProblem =>
      typeof item === "string" ? { code: item, details: { n: index + 1 } } : toFeedItem(item, index + 1, options, note),
    );
  const items = results.filter((result): result is FeedItem => !("code" in result));
  const problems = results.filter((result): result is FeedProblem => "code" in result);
  const lost = problems.length;
  if (raw.items.length > mostItems) problems.push({ code: "feed_items_over_limit", details: { most: mostItems } });
  if (document.format !== "json" && document.cut) problems.push({ code: "feed_incomplete", details: {} });
  const title = plainText(raw.title ?? "", 200) || null;
  const warnings = Array.from(notes.values(), ({ code, n, details }) => ({ code, details: { n, ...details } }));
  return { title, siteUrl: raw.siteUrl, items: soundGuids(items), lost, problems, warnings };
}

const readers = { rss: readRss, rdf: readRdf, atom: readAtom };

function read(document: FeedDocument, feedUrl: string): RawFeed {
  const limit = mostItems + 1;
  let refusal: Refusal;
  try {
    if (document.format === "json") return readJson(document.value, feedUrl, limit);
    if (document.cut) throw refuse(feedUrl, "feed_not_closed", { element: document.qname });
    const feed = readers[document.format](document.xml, feedUrl, limit);
    if (feed.items.length >= Math.min(countItems(document), limit)) return feed;
    throw new Error("items without content");
  } catch (error) {
    refusal = error instanceof Refusal ? error : refuseBroken(feedUrl, error);
  }
  if (document.format === "json") throw refusal;
  const recovered = recoverFeed(document, readers[document.format], feedUrl, limit);
  if (recovered.items.every((item) => typeof item === "string")) throw refusal;
  return recovered;
}

function refuseBroken(feedUrl: string, error: unknown): Refusal {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const reason = clip(reasonOf(cause).replace(/\.$/, ""), 120);
  return refuse(feedUrl, "feed_broken", { reason });
}

/** A guid that several articles of one document share does not identify any of them. */
function soundGuids(items: readonly FeedItem[]): FeedItem[] {
  const articles = new Map<string, Set<string>>();
  for (const { guid, url } of items) {
    if (guid !== null) articles.set(guid, (articles.get(guid) ?? new Set()).add(canonicalKey(url)));
  }
  return items.map((item) =>
    item.guid !== null && (articles.get(item.guid)?.size ?? 0) > 1 ? { ...item, guid: null } : item,
  );
}

type RssItem = NonNullable<ReturnType<typeof parseRssFeed<string>>["items"]>[number];
type RdfItem = NonNullable<ReturnType<typeof parseRdfFeed<string>>["items"]>[number];

/** RSS 0.91 to 2.0. Links are relative to xml:base, or to the channel's link without it. */
function readRss(xml: string, feedUrl: string, maxItems: number): RawFeed {
  const feed = parseRssFeed(xml, { maxItems });
  const base = absoluteUrl(feed.xml?.base, feedUrl);
  const siteUrl = absoluteUrl(feed.link, base ?? feedUrl);
  const itemBase = base ?? siteUrl ?? feedUrl;
  const items = (feed.items ?? []).map((item) => ({
    ...shared(item, itemBase),
    guid: item.guid?.value,
    links: [item.link, permalink(item.guid), item.atom?.links?.find(isAlternate)?.href],
    title: item.title ?? item.atom?.title?.value ?? item.dc?.titles?.[0],
    tags: [...(item.categories ?? []).flatMap(({ name }) => name ?? []), ...(item.dc?.subjects ?? [])],
    dates: [item.pubDate, item.atom?.published, item.dc?.dates?.[0], ...termDates(item), item.atom?.updated],
    pictures: rssPictures(item),
    origin: item.source ? { name: item.source.title ?? item.source.url, url: item.source.url } : dcSource(item),
  }));
  return { title: feed.title, siteUrl, base: itemBase, items };
}

/** RSS 0.90 and 1.0. */
function readRdf(xml: string, feedUrl: string, maxItems: number): RawFeed {
  const feed = parseRdfFeed(xml, { maxItems });
  const base = absoluteUrl(feed.xml?.base, feedUrl);
  const siteUrl = absoluteUrl(feed.link, base ?? feedUrl);
  const itemBase = base ?? siteUrl ?? feedUrl;
  const borrowed = rssElements(xml);
  const items = (feed.items ?? []).map((item) => {
    const { dates = [], tags = [] } = borrowed.get(item.rdf?.about ?? item.link ?? "") ?? {};
    return {
      ...shared(item, itemBase),
      guid: item.rdf?.about,
      links: [item.link, item.rdf?.about],
      title: item.title ?? item.dc?.titles?.[0],
      tags: [...(item.dc?.subjects ?? []), ...tags],
      dates: [item.dc?.dates?.[0], ...dates, ...termDates(item)],
      pictures: rssPictures(item),
      origin: dcSource(item),
    };
  });
  return { title: feed.title, siteUrl, base: itemBase, items };
}

/** The pubDate and category of RSS 2.0 in items of RSS 1.0, which does not have them, by the address or link of the item. */
function rssElements(xml: string): Map<string, { dates: string[]; tags: string[] }> {
  const found = new Map<string, { dates: string[]; tags: string[] }>();
  if (!/<(?:\w{1,20}:)?(?:pubDate|category)[\s>]/i.test(xml)) return found;
  const root = parseDocument(xml, { xmlMode: true }).children.filter(DomUtils.isTag);
  const items = root.flatMap(({ children }) => children.filter(DomUtils.isTag)).filter((one) => isNamed(one, "item"));
  for (const item of items) {
    const children = item.children.filter(DomUtils.isTag);
    const texts = (name: string): string[] =>
      children.filter((child) => isNamed(child, name)).map((child) => DomUtils.textContent(child).trim());
    const about = Object.entries(item.attribs).find(([name]) => /(?:^|:)about$/i.test(name))?.[1];
    const key = about ?? texts("link")[0];
    if (key !== undefined) found.set(key, { dates: texts("pubdate"), tags: texts("category") });
  }
  return found;
}

function isNamed({ name }: { name: string }, local: string): boolean {
  return name.slice(name.indexOf(":") + 1).toLowerCase() === local;
}

/** Dates of DCMI Metadata Terms, best first. */
function termDates({ dcterms }: Pick<RssItem | Entry, "dcterms">): (string | undefined)[] {
  return [dcterms?.issued, dcterms?.dates, dcterms?.created, dcterms?.available, dcterms?.modified].map(
    (dates) => dates?.[0],
  );
}

function shared(item: RssItem | RdfItem, base: string): Pick<RawItem, "base" | "texts"> {
  return {
    base: absoluteUrl(item.xml?.base, base) ?? base,
    texts: [item.description, item.content?.encoded, item.atom?.summary?.value, item.dc?.descriptions?.[0]],
  };
}

/** RSS 2.0: a guid is the article's address unless isPermaLink is false. */
function permalink(guid: RssItem["guid"]): string | undefined {
  return guid?.isPermaLink !== false && /^https?:\/\//i.test(guid?.value ?? "") ? guid?.value : undefined;
}

/** RFC 4287 §4.2.7.2: a link without `rel` is an alternate, and `rel` can be the address of a registered name. */
function isAlternate({ rel }: { rel?: string }): boolean {
  return rel === undefined || /^(?:http:\/\/www\.iana\.org\/assignments\/relation\/)?alternate$/i.test(rel.trim());
}

function dcSource(item: RssItem | RdfItem): RawItem["origin"] {
  const name = item.dc?.sources?.[0];
  return name === undefined ? undefined : { name, url: undefined };
}

type Feed = ReturnType<typeof parseAtomFeed<string>>;
type Entry = NonNullable<Feed["entries"]>[number];
type Link = NonNullable<Entry["links"]>[number];

/** Atom 1.0 and 0.3. Links are relative to xml:base (RFC 4287 §2), which may itself be relative. */
function readAtom(xml: string, feedUrl: string, maxItems: number): RawFeed {
  const feed = parseAtomFeed(xml, { maxItems });
  const base = absoluteUrl(feed.xml?.base, feedUrl) ?? feedUrl;
  const items = (feed.entries ?? []).map((entry) => ({
    guid: entry.id,
    // Some systems leave out the link where the id is the article's address.
    links: [pageOf(entry.links), /^https?:\/\//i.test(entry.id ?? "") ? entry.id : undefined],
    base: absoluteUrl(entry.xml?.base, base) ?? base,
    title: typed(entry.title),
    texts: [typed(entry.summary), contentOf(entry)],
    tags: (entry.categories ?? []).flatMap(tagOf),
    dates: [entry.published, ...termDates(entry).slice(0, 3), entry.updated, entry.dc?.dates?.[0]],
    pictures: atomPictures(entry),
    origin: originOf(entry),
  }));
  return { title: feed.title?.value, siteUrl: absoluteUrl(pageOf(feed.links), base), base, items };
}

/** Of several alternates, the HTML one is for readers. */
function pageOf(links: readonly Link[] | undefined): string | undefined {
  const alternates = (links ?? []).filter(isAlternate);
  const page = alternates.find(({ type }) => type === undefined || /html/i.test(type));
  return (page ?? alternates[0])?.href;
}

/** Content can be a base64 image or other XML (RFC 4287 §4.1.3), which is not text. */
function contentOf({ content }: Entry): RawText | undefined {
  const readable = /^(?:text|html|xhtml|text\/.*|application\/xhtml\+xml)?$/i.test(content?.type ?? "");
  return readable ? typed(content) : undefined;
}

/** RFC 4287 §3.1.1.1: `type="text"` is not HTML. Without a type it should be text as well, but many feeds have HTML there. */
function typed(text: { value?: string; type?: string } | undefined): RawText | undefined {
  if (text?.value === undefined) return undefined;
  return /^text(?:\/plain)?$/i.test(text.type ?? "") ? { plain: text.value } : text.value;
}

/** The label is for people, the term for programs. Some systems use a URL for the type of item, which is not a tag. */
function tagOf({ label, term }: { label?: string; term?: string }): string[] {
  const name = label ?? term;
  return name === undefined || /^https?:\/\//i.test(name) ? [] : [name];
}

function originOf(entry: Entry): { name: string | undefined; url: string | undefined } | undefined {
  if (entry.source) return { name: entry.source.title?.value, url: pageOf(entry.source.links) };
  const name = entry.dc?.sources?.[0];
  return name === undefined ? undefined : { name, url: undefined };
}

type Item = NonNullable<ReturnType<typeof parseJsonFeed<string>>["items"]>[number];

const jsonFeed = "https://jsonfeed.org/version/1";

/** JSON Feed 1.0 and 1.1, also with the bare number as version. @throws Refusal 422 for other JSON */
function readJson(document: unknown, feedUrl: string, maxItems: number): RawFeed {
  const value = withVersion(document);
  if (!detectJsonFeed(value)) {
    throw refuse(feedUrl, "feed_json_unknown");
  }
  const { items: given, version } = value as { items?: unknown; version?: unknown };
  const list: unknown[] = Array.isArray(given) ? given.slice(0, maxItems) : [];
  const feed = parseJsonFeed(value, { maxItems });
  let found: (Item | undefined)[] = feed.items ?? [];
  // The parser drops broken items. Parsing them one by one shows which.
  if (found.length < list.length)
    found = list.map((one) => parseJsonFeed({ version, title: "T", items: [one] }).items?.[0]);
  const items = found.map((item) => toRaw(item, feedUrl));
  return { title: feed.title, siteUrl: absoluteUrl(feed.home_page_url, feedUrl), base: feedUrl, items };
}

function withVersion(document: unknown): unknown {
  if (typeof document !== "object" || document === null || !("version" in document)) return document;
  return /^1(?:\.[01])?$/.test(String(document.version)) ? { ...document, version: jsonFeed } : document;
}

function toRaw(item: Item | undefined, base: string): RawItem | ItemFault {
  if (!item) return "feed_item_not_object";
  return {
    guid: item.id,
    // The id is "ideally the full URL of the resource", and often the only one there is.
    links: [item.url, item.external_url, /^https?:\/\//i.test(item.id ?? "") ? item.id : undefined],
    base,
    title: item.title,
    texts: [item.summary, plain(item.content_text), item.content_html],
    tags: item.tags ?? [],
    dates: [item.date_published, item.date_modified],
    pictures: jsonPictures(item),
    origin: undefined,
  };
}

function plain(text: string | undefined): RawText | undefined {
  return text === undefined ? undefined : { plain: text };
}
