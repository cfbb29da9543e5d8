import { Refusal, reasonOf } from "../base/errors.ts";
import { clip, oneLine } from "../render/plain.ts";
import { absoluteUrl, shownUrl } from "./address.ts";

export type FeedDocument =
  /**
   * From the root element's start to its end: no declaration, no DOCTYPE, nothing behind. `cut` says that the end is
   * missing. `qname` is the root's name.
   */
  { format: "rss" | "rdf" | "atom"; xml: string; qname: string; cut: boolean } | { format: "json"; value: unknown };

const roots: Readonly<Record<string, "rss" | "rdf" | "atom" | undefined>> = { rss: "rss", rdf: "rdf", feed: "atom" };
/** Of a root element, with its prefix. */
const longestName = 100;
const strangers: Readonly<Record<string, string | undefined>> = {
  opml: "an OPML list of feeds, not a feed: add the feeds in it one by one",
  urlset: "a sitemap, not a feed",
  sitemapindex: "a sitemap, not a feed",
};

/** Tells what a document is and lays its feed bare. @throws Refusal 422 that says what it is when it is no feed */
export function openDocument(text: string, feedUrl: string): FeedDocument {
  const body = text.trimStart();
  if (body === "") throw refuse(feedUrl, "is empty: a feed was expected");
  if (body.startsWith("{") || body.startsWith("[")) return { format: "json", value: parseJson(body, feedUrl) };
  if (!body.startsWith("<")) {
    const start = JSON.stringify(clip(oneLine(body.slice(0, 200)), 60));
    throw refuse(feedUrl, `is not a feed: it begins with ${start}, which is neither XML nor JSON`);
  }
  const at = rootStart(body);
  if (at === -1) throw refuse(feedUrl, "ends in the middle: it is cut off before its first element");
  if (/^<!DOCTYPE\s+html\b|^<(?:html|head|body)\b/i.test(body) || /^<html\b/i.test(body.slice(at, at + 6))) {
    throw refuse(feedUrl, `is a web page, not a feed${advertised(body, feedUrl)}`);
  }
  return openXml(body.slice(at), feedUrl);
}

function openXml(xml: string, feedUrl: string): FeedDocument {
  const [, qname = "", local = ""] = /^<((?:[\w.-]+:)?([\w.-]+))/.exec(xml) ?? [];
  const format = roots[local.toLowerCase()];
  if (!format || qname.length > longestName) {
    const what = strangers[local.toLowerCase()] ?? `XML with the root element <${clip(qname, 60)}>, which is no feed`;
    throw refuse(feedUrl, `is ${what}`);
  }
  const end = xml.lastIndexOf(`</${qname}`);
  if (end !== -1) return { format, qname, cut: false, xml: `${xml.slice(0, end)}</${qname}>` };
  if (/^<[^<>]*\/>/.test(xml)) {
    return { format, qname, cut: false, xml: `${xml.slice(0, xml.indexOf("/>"))}></${qname}>` };
  }
  return { format, qname, cut: true, xml };
}

function parseJson(body: string, feedUrl: string): unknown {
  try {
    // Within strings these are not allowed (RFC 8259 §7), and outside of them they mean no more than a space.
    // oxlint-disable-next-line no-control-regex -- replacing control characters is the point
    return JSON.parse(body.replace(/[\u0000-\u001f]/g, " "));
  } catch (error) {
    throw refuse(feedUrl, `looks like JSON and is not valid: ${clip(reasonOf(error), 120)}`);
  }
}

/** The start of the root element, behind declaration, comments and DOCTYPE; -1 if the document ends before. */
function rootStart(xml: string): number {
  let at = 0;
  for (;;) {
    at += /^\s*/.exec(xml.slice(at, at + 10_000))?.[0].length ?? 0;
    if (xml.startsWith("<?", at)) at = after(xml, "?>", at);
    else if (xml.startsWith("<!--", at)) at = after(xml, "-->", at);
    else if (/^<!doctype/i.test(xml.slice(at, at + 9))) at = afterDoctype(xml, at + 9);
    else return xml[at] === "<" ? at : -1;
    if (at === -1) return -1;
  }
}

/**
 * Skips a document type declaration with its internal subset (XML 1.0 §2.8). Its entities are never read: nothing is
 * expanded, nothing fetched, and a reference to one stays the text it is.
 */
function afterDoctype(xml: string, from: number): number {
  let subset = false;
  for (let at = from; at !== -1 && at < xml.length;) {
    const char = xml[at];
    if (char === '"' || char === "'") at = after(xml, char, at + 1);
    else if (xml.startsWith("<!--", at)) at = after(xml, "-->", at);
    else if (xml.startsWith("<?", at)) at = after(xml, "?>", at);
    else if (char === ">" && !subset) return at + 1;
    else {
      if (char === "[" || char === "]") subset = char === "[";
      at++;
    }
  }
  return -1;
}

function after(xml: string, mark: string, from: number): number {
  const at = xml.indexOf(mark, from);
  return at === -1 ? -1 : at + mark.length;
}

/** The feed that a web page names in its head (autodiscovery), as advice. */
function advertised(html: string, pageUrl: string): string {
  for (const [link] of html.slice(0, 200_000).matchAll(/<link\s[^<>]{1,1000}>/gi)) {
    if (!/type\s*=\s*["']?application\/(?:rss\+xml|atom\+xml|feed\+json)/i.test(link)) continue;
    const href = /href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(link);
    const url = absoluteUrl((href?.[1] ?? href?.[2] ?? href?.[3])?.replaceAll("&amp;", "&"), pageUrl);
    if (url) return `: its feed is at ${url}`;
  }
  return ": look for the site's RSS or Atom address";
}

export function refuse(feedUrl: string, what: string): Refusal {
  return new Refusal(422, `${shownUrl(feedUrl)} ${what}.`);
}
