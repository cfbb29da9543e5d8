import { parseRdfFeed, parseRssFeed } from "feedsmith";
import { absoluteUrl } from "./address.ts";
import type { RawFeed, RawItem } from "./parse-item.ts";

type RssItem = NonNullable<ReturnType<typeof parseRssFeed<string>>["items"]>[number];
type RdfItem = NonNullable<ReturnType<typeof parseRdfFeed<string>>["items"]>[number];

/** RSS 0.91 to 2.0. Links are relative to xml:base, or to the channel's link without it. */
export function readRss(xml: string, feedUrl: string, maxItems: number): RawFeed {
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
    dates: [item.pubDate, item.atom?.published, item.dc?.dates?.[0], item.atom?.updated],
    origin: item.source ? { name: item.source.title ?? item.source.url, url: item.source.url } : dcSource(item),
  }));
  return { title: feed.title, siteUrl, base: itemBase, items };
}

/** RSS 0.90 and 1.0. */
export function readRdf(xml: string, feedUrl: string, maxItems: number): RawFeed {
  const feed = parseRdfFeed(xml, { maxItems });
  const base = absoluteUrl(feed.xml?.base, feedUrl);
  const siteUrl = absoluteUrl(feed.link, base ?? feedUrl);
  const itemBase = base ?? siteUrl ?? feedUrl;
  const items = (feed.items ?? []).map((item) => ({
    ...shared(item, itemBase),
    guid: item.rdf?.about,
    links: [item.link, item.rdf?.about],
    title: item.title ?? item.dc?.titles?.[0],
    tags: item.dc?.subjects ?? [],
    dates: [item.dc?.dates?.[0], item.dcterms?.issued, item.dcterms?.modified].flat(),
    origin: dcSource(item),
  }));
  return { title: feed.title, siteUrl, base: itemBase, items };
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

function isAlternate(link: { rel?: string }): boolean {
  return link.rel === undefined || link.rel === "alternate";
}

function dcSource(item: RssItem | RdfItem): RawItem["origin"] {
  const name = item.dc?.sources?.[0];
  return name === undefined ? undefined : { name, url: undefined };
}
