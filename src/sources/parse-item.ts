import { cleanTag, cleanTags } from "../articles/tags.ts";
import { decodeEntities, plainText, summaryLimit, textLines, titleLimit, withoutC1 } from "../articles/text.ts";
import { oneLine } from "../base/text.ts";
import { clip } from "../render/plain.ts";
import { absoluteUrl } from "./address.ts";
import { readFeedDate } from "./feed-date.ts";
import type { Picture } from "../render/types.ts";
import { toPicture, type RawPicture } from "./parse-picture.ts";
import type { FeedProblem } from "./parse-document.ts";
import type { ErrorCode } from "../texts/catalogue.ts";
import { DomUtils, parseDocument } from "htmlparser2";

/** A text that may be HTML, or one that is plain for certain. */
export type RawText = string | { plain: string };

/** One item of a feed in any format. XML is decoded, HTML is not. */
export interface RawItem {
  guid: string | undefined;
  /** Best first. */
  links: (string | undefined)[];
  /** What relative links of the item are relative to. */
  base: string;
  title: RawText | undefined;
  /** Texts that may serve as a summary, best first. */
  texts: (RawText | undefined)[];
  tags: string[];
  /** Best first. */
  dates: (string | undefined)[];
  origin: { name: string | undefined; url: string | undefined } | undefined;
  /** Best first. */
  pictures?: RawPicture[];
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
  /** The date that could not be read. */
  unreadableDate?: string;
  origin: Origin | null;
  picture?: Picture | null;
}

/** How an operator wants a source to be read. */
export interface ReadOptions {
  /** IANA name, for dates without a zone. */
  timezone: string;
  /** Whether one category holds several tags, separated by commas. */
  splitTags: boolean;
}

export const defaultOptions: ReadOptions = { timezone: "UTC", splitTags: false };

/** Something about an item that is reported once for the whole document. */
export interface ItemNote {
  code: Extract<
    ErrorCode,
    "feed_item_date_unreadable" | "feed_zone_unknown" | "feed_tags_too_long" | "feed_text_broken"
  >;
  /** How often it is the case in this item. */
  n: number;
  details: Record<string, string>;
}

const longestGuid = 500;
/** Enough for the longest tag with every character written as an entity. */
const longestRawTag = 2000;
const mostRawTags = 200;
/** Latin, full-width, enumeration and Arabic comma. */
const commas = /[,\uff0c\u3001\u060c]/;

/** The item, or why it cannot be an article. `n` counts from 1. */
export function toFeedItem(
  raw: RawItem,
  n: number,
  options: ReadOptions = defaultOptions,
  note: (note: ItemNote) => void = () => {},
): FeedItem | FeedProblem {
  const title = textOf(raw.title ?? "", "title", titleLimit);
  const url = first(raw.links, (link) => absoluteUrl(unescapedLink(link), raw.base));
  if (url === null) return linkProblem(raw.links, n, title);
  if (title === "") return { code: "feed_item_without_title", details: { n, url } };
  const texts = raw.texts.filter((text) => text !== undefined && written(text).trim() !== "") as RawText[];
  const sourceLine = first(texts, (text) => findSourceLine(text, raw.base));
  const tags = tagsOf(raw.tags, options.splitTags);
  const date = dateOf(raw.dates, options.timezone);
  const item: FeedItem = {
    guid: guidOf(raw.guid),
    url,
    title,
    summary: summaryOf(texts[0] ?? "", sourceLine?.line),
    tags: tags.clean,
    publishedAt: date.at,
    ...(date.unreadable === null ? {} : { unreadableDate: date.unreadable }),
    origin: originOf(raw) ?? sourceLine?.origin ?? null,
    picture: toPicture(raw.pictures, raw.base),
  };
  const [long] = tags.tooLong;
  const broken = [title, item.summary, ...tags.clean].some((text) => text.includes("\ufffd"));
  const { unreadable, zone } = date;
  if (unreadable !== null) note({ code: "feed_item_date_unreadable", n: 1, details: { date: unreadable, url } });
  if (zone !== null) note({ code: "feed_zone_unknown", n: 1, details: { zone, timezone: options.timezone, url } });
  if (long !== undefined) {
    note({ code: "feed_tags_too_long", n: tags.tooLong.length, details: { tag: clip(long, 60), url } });
  }
  if (broken) note({ code: "feed_text_broken", n: 1, details: { url } });
  return item;
}

function written(text: RawText): string {
  return typeof text === "string" ? text : text.plain;
}

function textOf(text: RawText, kind: "title" | "prose", max?: number): string {
  return typeof text === "string" ? plainText(text, max, kind) : plainText(text.plain, max, "text");
}

/** No address contains `&amp;`: it was escaped once more than XML needs. */
function unescapedLink(link: string | undefined): string | undefined {
  return link?.replace(/&(?:(?:amp|#38|#x26);)+/gi, "&");
}

/** The first date that can be read. */
function dateOf(
  dates: readonly (string | undefined)[],
  timezone: string,
): { at: Date | null; unreadable: string | null; zone: string | null } {
  const given = dates.flatMap((date) => (date === undefined || date.trim() === "" ? [] : [date]));
  const read = first(given, (date) => readFeedDate(date, timezone));
  if (read) return { at: read.at, unreadable: null, zone: read.unknownZone && clip(oneLine(read.unknownZone), 60) };
  const [bad] = given;
  return { at: null, unreadable: bad === undefined ? null : clip(oneLine(bad), 60), zone: null };
}

/** Decoded again, because WordPress and others write categories as HTML in CDATA. */
function tagsOf(raws: readonly string[], split: boolean): { clean: string[]; tooLong: string[] } {
  const parts = split ? raws.flatMap((raw) => raw.split(commas)) : raws;
  const decoded = parts
    .slice(0, mostRawTags)
    .map((raw) => withoutC1(raw.length > longestRawTag ? raw.slice(0, longestRawTag) : decodeEntities(raw)));
  const tooLong = decoded.filter((tag) => cleanTag(tag) === null).map(oneLine);
  return { clean: cleanTags(decoded, mostRawTags), tooLong: tooLong.filter((tag) => tag !== "") };
}

function guidOf(raw: string | undefined): string | null {
  const guid = oneLine(raw ?? "");
  return guid === "" || guid.length > longestGuid ? null : guid;
}

function summaryOf(text: RawText, sourceLine: string | undefined): string {
  const summary = textOf(text, "prose");
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

/** The original publisher of an article. */
export interface Origin {
  name: string;
  url: string | null;
}

const longestName = 120;
/** The source line is at the end of the description. Only this many characters are searched. */
const tail = 2000;
/** For text without consecutive white space, which keeps matching linear. */
const sourceLine = /(?:^|\n|[.!?…"”’)\]][ \n])((?:On the web|Source)[ \n]?[:\uff1a][ \n]?([^\n]{1,120}))$/i;

/**
 * The source line at the end of a description in HTML or text: `On the web: Korea JoongAng Daily`, `Source: Reuters`, on
 * its own line or after a full stop. `line` is to be removed from the summary.
 */
export function findSourceLine(raw: RawText, base: string): { origin: Origin; line: string } | null {
  const end = written(raw).slice(-tail);
  const text = textLines(end, typeof raw === "string" ? "prose" : "text").replace(/\s+/g, (space) =>
    space.includes("\n") ? "\n" : " ",
  );
  const [, found, foundName = ""] = sourceLine.exec(text.trim()) ?? [];
  if (found === undefined) return null;
  const line = oneLine(found);
  const name = oneLine(foundName);
  const origin = namedOrigin(name, typeof raw === "string" ? linkOf(end, name, base) : null);
  return origin && { origin, line };
}

/** An origin by its name, or by a URL in place of the name. null if the name is empty or too long. */
function namedOrigin(rawName: string | undefined, rawUrl: string | null): Origin | null {
  const name = plainText(rawName ?? "");
  const own = /^https?:\/\/\S+$/i.test(name) ? absoluteUrl(name, name) : null;
  if (own) return { name: new URL(own).hostname.replace(/^www\./, ""), url: rawUrl ?? own };
  return name === "" || name.length > longestName ? null : { name, url: rawUrl };
}

/** The last link with that text. */
function linkOf(html: string, name: string, base: string): string | null {
  const links = DomUtils.getElementsByTagName("a", parseDocument(html));
  return absoluteUrl(links.findLast((link) => oneLine(DomUtils.textContent(link)) === name)?.attribs.href, base);
}
