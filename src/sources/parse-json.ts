import { detectJsonFeed, parseJsonFeed } from "feedsmith";
import { absoluteUrl } from "./address.ts";
import { refuse } from "./parse-document.ts";
import type { RawFeed } from "./parse-item.ts";

/** JSON Feed 1.0 and 1.1. @throws Refusal 422 for JSON that is no JSON Feed */
export function readJson(value: unknown, feedUrl: string, maxItems: number): RawFeed {
  if (!detectJsonFeed(value)) {
    throw refuse(
      feedUrl,
      'is JSON and no JSON Feed: expected an object with "version": "https://jsonfeed.org/version/1.1" and "items"',
    );
  }
  const feed = parseJsonFeed(value, { maxItems });
  const items = (feed.items ?? []).map((item) => ({
    guid: item.id,
    // The id is "ideally the full URL of the resource", and often the only one there is.
    links: [item.url, item.external_url, /^https?:\/\//i.test(item.id ?? "") ? item.id : undefined],
    base: feedUrl,
    title: item.title,
    texts: [item.summary, item.content_text, item.content_html],
    tags: item.tags ?? [],
    dates: [item.date_published, item.date_modified],
    origin: undefined,
  }));
  return { title: feed.title, siteUrl: absoluteUrl(feed.home_page_url, feedUrl), items };
}
