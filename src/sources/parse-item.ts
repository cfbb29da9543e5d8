import { cleanTags } from "../articles/tags.ts";
import { decodeEntities, plainText, summaryLimit, titleLimit } from "../articles/text.ts";
import { clip, oneLine } from "../render/plain.ts";
import { absoluteUrl } from "./address.ts";
import { parseFeedDate } from "./parse-date.ts";
import type { FeedProblem } from "./parse-document.ts";
import { findSourceLine, namedOrigin, type Origin } from "./parse-origin.ts";

/** One item of a feed in any format. XML is decoded, HTML is not. */
export interface RawItem {
  guid: string | undefined;
  /** Best first. */
  links: (string | undefined)[];
  /** What relative links of the item are relative to. */
  base: string;
  title: string | undefined;
  /** Texts that may serve as a summary, best first. */
  texts: (string | undefined)[];
  tags: string[];
  /** Best first. */
  dates: (string | undefined)[];
  origin: { name: string | undefined; url: string | undefined } | undefined;
}

/** Why an item cannot be read. */
export type ItemFault = "feed_item_cut_off" | "feed_item_broken" | "feed_item_not_object";

/** What the reader of one format returns. The texts are not decoded. */
export interface RawFeed {
  title: string | undefined;
  siteUrl: string | null;
  /** What relative links of items without a base of their own are relative to. */
  base: string;
  /** In place of an item that cannot be read, why not. */
  items: (RawItem | ItemFault)[];
}

/** One item of a feed: every text is plain, every URL absolute http(s). */
export interface FeedItem {
  /** null if it does not identify the item: missing, longer than 500 characters, or used for several links. */
  guid: string | null;
  url: string;
  /** At most 500 UTF-16 units. */
  title: string;
  /** At most 2,000 UTF-16 units; can be empty. */
  summary: string;
  tags: string[];
  publishedAt: Date | null;
  origin: Origin | null;
}

const longestGuid = 500;
/** Enough for the longest tag with every character written as an entity. */
const longestRawTag = 2000;
const mostRawTags = 200;

/** The item, or why it cannot be an article. `n` counts from 1. */
export function toFeedItem(raw: RawItem, n: number): FeedItem | FeedProblem {
  const title = plainText(raw.title ?? "", titleLimit);
  const url = first(raw.links, (link) => absoluteUrl(link, raw.base));
  if (url === null) return linkProblem(raw.links, n, title);
  if (title === "") return { code: "feed_item_without_title", details: { n, url } };
  const texts = raw.texts.filter((text) => text !== undefined && text.trim() !== "") as string[];
  const sourceLine = first(texts, (text) => findSourceLine(text, raw.base));
  return {
    guid: guidOf(raw.guid),
    url,
    title,
    summary: summaryOf(texts[0] ?? "", sourceLine?.line),
    tags: tagsOf(raw.tags),
    publishedAt: first(raw.dates, parseFeedDate),
    origin: originOf(raw) ?? sourceLine?.origin ?? null,
  };
}

/** Decoded again, because WordPress and others write categories as HTML in CDATA. */
function tagsOf(raws: readonly string[]): string[] {
  const sane = raws.slice(0, mostRawTags).filter((tag) => tag.length <= longestRawTag);
  return cleanTags(sane.map(decodeEntities), mostRawTags);
}

function guidOf(raw: string | undefined): string | null {
  const guid = oneLine(raw ?? "");
  return guid === "" || guid.length > longestGuid ? null : guid;
}

function summaryOf(text: string, sourceLine: string | undefined): string {
  const summary = plainText(text);
  const whole =
    sourceLine !== undefined && summary.endsWith(sourceLine) ? summary.slice(0, -sourceLine.length) : summary;
  return clip(whole.trim(), summaryLimit);
}

/** The URL of an RSS source element is often a feed (RSS 2.0), and readers need a page. */
function originOf({ origin, base }: RawItem): Origin | null {
  if (!origin) return null;
  const url = absoluteUrl(origin.url, base);
  const forPeople = url !== null && !/\.(?:xml|rss|rdf|atom|json)(?:\?|$)|\/(?:feed|rss|atom)\b/i.test(url);
  return namedOrigin(origin.name, forPeople ? url : null);
}

function linkProblem(links: readonly (string | undefined)[], n: number, title: string): FeedProblem {
  const link = links.find((candidate) => candidate !== undefined && candidate.trim() !== "");
  if (link !== undefined) return { code: "feed_item_link_invalid", details: { n, link: clip(oneLine(link), 80) } };
  if (title === "") return { code: "feed_item_empty", details: { n } };
  return { code: "feed_item_without_link", details: { n, title: clip(title, 80) } };
}

function first<T, R>(values: readonly T[], pick: (value: T) => R | null): R | null {
  for (const value of values) {
    const found = pick(value);
    if (found !== null) return found;
  }
  return null;
}
