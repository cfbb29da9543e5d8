import { reasonOf, Refusal, type Reason } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { clip } from "../render/plain.ts";
import type { ErrorCode } from "../texts/catalogue.ts";
import { absoluteUrl, shownUrl } from "./address.ts";

export type FeedDocument =
  /**
   * `xml` is the root element alone, without declaration, DOCTYPE and anything after it. `cut`: its end is missing.
   * `qname`: its name.
   */
  { format: "rss" | "rdf" | "atom"; xml: string; qname: string; cut: boolean } | { format: "json"; value: unknown };

const roots: Readonly<Record<string, "rss" | "rdf" | "atom" | undefined>> = { rss: "rss", rdf: "rdf", feed: "atom" };
/** Of a root element, with its prefix. */
const longestName = 100;
const otherRoots: Readonly<Record<string, ErrorCode | undefined>> = {
  opml: "feed_is_opml",
  urlset: "feed_is_sitemap",
  sitemapindex: "feed_is_sitemap",
};

/** Finds out a document's format. @throws Refusal 422 when it is not a feed */
export function openDocument(text: string, feedUrl: string): FeedDocument {
  const body = text.trimStart();
  if (body === "") throw refuse(feedUrl, "feed_empty");
  if (body.startsWith("{") || body.startsWith("[")) return { format: "json", value: parseJson(body, feedUrl) };
  if (!body.startsWith("<")) {
    throw refuse(feedUrl, "feed_not_recognised", { start: clip(oneLine(body.slice(0, 200)), 60) });
  }
  const at = rootStart(body);
  if (at === -1) throw refuse(feedUrl, "feed_cut_off");
  if (/^<!DOCTYPE\s+html\b|^<(?:html|head|body)\b/i.test(body) || /^<html\b/i.test(body.slice(at, at + 6))) {
    const feed = advertised(body, feedUrl);
    throw feed === null ? refuse(feedUrl, "feed_is_web_page") : refuse(feedUrl, "feed_on_web_page", { feed });
  }
  return openXml(body.slice(at), feedUrl);
}

function openXml(xml: string, feedUrl: string): FeedDocument {
  const [, qname = "", local = ""] = /^<((?:[\w.-]+:)?([\w.-]+))/.exec(xml) ?? [];
  const format = roots[local.toLowerCase()];
  if (!format || qname.length > longestName) {
    const known = otherRoots[local.toLowerCase()];
    throw known ? refuse(feedUrl, known) : refuse(feedUrl, "feed_unknown_xml", { element: clip(qname, 60) });
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
    // Control characters are not allowed in strings (RFC 8259 §7); outside they mean the same as a space.
    // oxlint-disable-next-line no-control-regex -- replacing control characters is the point
    return JSON.parse(body.replace(/[\u0000-\u001f]/g, " "));
  } catch (error) {
    throw refuse(feedUrl, "feed_json_invalid", { reason: clip(reasonOf(error), 120) });
  }
}

/** The start of the root element, after declaration, comments and DOCTYPE; -1 if the document ends before. */
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
 * Skips a document type declaration with its internal subset (XML 1.0 §2.8). Its entities are never read, expanded or
 * fetched; a reference to one stays as text.
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

/** The feed that a web page links to in its head (autodiscovery). */
function advertised(html: string, pageUrl: string): string | null {
  for (const [link] of html.slice(0, 200_000).matchAll(/<link\s[^<>]{1,1000}>/gi)) {
    if (!/type\s*=\s*["']?application\/(?:rss\+xml|atom\+xml|feed\+json)/i.test(link)) continue;
    const href = /href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(link);
    const url = absoluteUrl((href?.[1] ?? href?.[2] ?? href?.[3])?.replaceAll("&amp;", "&"), pageUrl);
    if (url) return url;
  }
  return null;
}

/** Something wrong with a feed that can be read all the same. */
export type FeedProblem = Reason;

export function refuse(feedUrl: string, code: ErrorCode, details: Record<string, string | number> = {}): Refusal {
  return new Refusal(422, code, { url: shownUrl(feedUrl), ...details });
}
