import { reasonOf, Refusal } from "../base/errors.ts";
import { canonicalKey } from "../articles/normalise.ts";
import { plainText } from "../articles/text.ts";
import { clip } from "../render/plain.ts";
import { withoutUser } from "./address.ts";
import { readAtom } from "./parse-atom.ts";
import { openDocument, refuse, type FeedDocument, type FeedProblem } from "./parse-document.ts";
import { toFeedItem, type FeedItem, type RawFeed } from "./parse-item.ts";
import { readJson } from "./parse-json.ts";
import { countItems, recoverFeed } from "./parse-recover.ts";
import { readRdf, readRss } from "./parse-rss.ts";

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
}

const mostItems = 1000;

/**
 * Reads RSS 0.9x, 1.0 and 2.0, Atom and JSON Feed. A broken item is a problem, not a failure. Only the first 1,000 items
 * are read.
 * @throws Refusal 422 when the document is not a feed, or no item can be read
 */
export function parseFeed(text: string, feedUrl: string): ParsedFeed {
  const base = withoutUser(feedUrl);
  const document = openDocument(text, base);
  const raw = read(document, base);
  const results = raw.items
    .slice(0, mostItems)
    .map((item, index): FeedItem | FeedProblem =>
      typeof item === "string" ? { code: item, details: { n: index + 1 } } : toFeedItem(item, index + 1),
    );
  const items = results.filter((result): result is FeedItem => !("code" in result));
  const problems = results.filter((result): result is FeedProblem => "code" in result);
  const lost = problems.length;
  if (raw.items.length > mostItems) problems.push({ code: "feed_items_over_limit", details: { most: mostItems } });
  if (document.format !== "json" && document.cut) problems.push({ code: "feed_incomplete", details: {} });
  const title = plainText(raw.title ?? "", 200) || null;
  return { title, siteUrl: raw.siteUrl, items: soundGuids(items), lost, problems };
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
