import { reasonOf, Refusal } from "../base/errors.ts";
import { canonicalKey } from "../articles/normalise.ts";
import { plainText } from "../articles/text.ts";
import { clip } from "../render/plain.ts";
import { withoutUser } from "./address.ts";
import { readAtom } from "./parse-atom.ts";
import { openDocument, refuse, type FeedDocument } from "./parse-document.ts";
import { toFeedItem, type FeedItem, type RawFeed } from "./parse-item.ts";
import { readJson } from "./parse-json.ts";
import { readRdf, readRss } from "./parse-rss.ts";

export type { FeedItem } from "./parse-item.ts";

export interface ParsedFeed {
  title: string | null;
  siteUrl: string | null;
  /** In the document's order. */
  items: FeedItem[];
  /** One sentence for each item that could not be read. */
  problems: string[];
}

const mostItems = 1000;

/**
 * Reads RSS 0.9x, 1.0 and 2.0, Atom and JSON Feed. An item without link or title is a problem, not a failure; items
 * beyond the first 1,000 are left.
 * @throws Refusal 422 when the document is no feed, or a broken one
 */
export function parseFeed(text: string, feedUrl: string): ParsedFeed {
  const base = withoutUser(feedUrl);
  const raw = read(openDocument(text, base), base);
  const results = raw.items.slice(0, mostItems).map((item, index) => toFeedItem(item, index + 1));
  const items = results.filter((result) => typeof result !== "string");
  const problems = results.filter((result) => typeof result === "string");
  if (raw.items.length > mostItems) problems.push(`Only the first ${mostItems} items were read.`);
  return { title: plainText(raw.title ?? "", 200) || null, siteUrl: raw.siteUrl, items: soundGuids(items), problems };
}

const readers = { rss: readRss, rdf: readRdf, atom: readAtom };

function read(document: FeedDocument, feedUrl: string): RawFeed {
  const limit = mostItems + 1;
  try {
    if (document.format === "json") return readJson(document.value, feedUrl, limit);
    return readers[document.format](document.xml, feedUrl, limit);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    const reason = clip(reasonOf(cause).replace(/\.$/, ""), 120);
    throw refuse(feedUrl, `is a broken feed (${reason}): its publisher has to mend it`);
  }
}

/** A guid that one document gives to several articles is none. */
function soundGuids(items: readonly FeedItem[]): FeedItem[] {
  const articles = new Map<string, Set<string>>();
  for (const { guid, url } of items) {
    if (guid !== null) articles.set(guid, (articles.get(guid) ?? new Set()).add(canonicalKey(url)));
  }
  return items.map((item) =>
    item.guid !== null && (articles.get(item.guid)?.size ?? 0) > 1 ? { ...item, guid: null } : item,
  );
}
