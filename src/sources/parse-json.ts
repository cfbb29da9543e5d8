import { detectJsonFeed, parseJsonFeed } from "feedsmith";
import { absoluteUrl } from "./address.ts";
import { refuse } from "./parse-document.ts";
import type { ItemFault, RawFeed, RawItem } from "./parse-item.ts";

type Item = NonNullable<ReturnType<typeof parseJsonFeed<string>>["items"]>[number];

/** JSON Feed 1.0 and 1.1. @throws Refusal 422 for other JSON */
export function readJson(value: unknown, feedUrl: string, maxItems: number): RawFeed {
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

function toRaw(item: Item | undefined, base: string): RawItem | ItemFault {
  if (!item) return "feed_item_not_object";
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
