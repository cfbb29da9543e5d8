import { detectJsonFeed, parseJsonFeed } from "feedsmith";
import { absoluteUrl } from "./address.ts";
import { refuse } from "./parse-document.ts";
import type { RawFeed, RawItem } from "./parse-item.ts";

type Item = NonNullable<ReturnType<typeof parseJsonFeed<string>>["items"]>[number];

/** JSON Feed 1.0 and 1.1. @throws Refusal 422 for JSON that is no JSON Feed */
export function readJson(value: unknown, feedUrl: string, maxItems: number): RawFeed {
  if (!detectJsonFeed(value)) {
    throw refuse(
      feedUrl,
      'is JSON and no JSON Feed: expected an object with "version": "https://jsonfeed.org/version/1.1" and "items"',
    );
  }
  const { items: given, version } = value as { items?: unknown; version?: unknown };
  const list: unknown[] = Array.isArray(given) ? given.slice(0, maxItems) : [];
  const feed = parseJsonFeed(value, { maxItems });
  let found: (Item | undefined)[] = feed.items ?? [];
  // The parser leaves out broken items without a word. One by one, they show.
  if (found.length < list.length)
    found = list.map((one) => parseJsonFeed({ version, title: "T", items: [one] }).items?.[0]);
  const items = found.map((item) => (item ? toRaw(item, feedUrl) : "is not an object of JSON Feed"));
  return { title: feed.title, siteUrl: absoluteUrl(feed.home_page_url, feedUrl), base: feedUrl, items };
}

function toRaw(item: Item | undefined, base: string): RawItem | string {
  if (!item) return "is not an object of JSON Feed";
  return {
    guid: item.id,
    // The id is "ideally the full URL of the resource", and often the only one there is.
    links: [item.url, item.external_url, /^https?:\/\//i.test(item.id ?? "") ? item.id : undefined],
    base,
    title: item.title,
    texts: [item.summary, item.content_text, item.content_html],
    tags: item.tags ?? [],
    dates: [item.date_published, item.date_modified],
    origin: undefined,
  };
}
