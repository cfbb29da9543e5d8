import { cleanTags } from "../articles/tags.ts";
import { Refusal } from "../base/errors.ts";
import type { EditionArticle } from "../render/types.ts";
import { shownUrl } from "./address.ts";
import { fetchFeed } from "./fetch.ts";
import type { FeedItem } from "./parse.ts";
import type { FeedProblem } from "./parse-document.ts";
import type { PollDeps } from "./poll.ts";

/** A preview of a feed. Nothing of it is stored. */
export interface LookedFeed {
  title: string | null;
  /** The articles of a first edition. If none is recent enough, the newest ones as an example. */
  articles: EditionArticle[];
  /** Whether `articles` is that example. */
  example: boolean;
  problems: FeedProblem[];
}

/** Older articles of a new feed are stored but never emailed; see `ingest`. */
const freshMs = 48 * 3_600_000;
const shownExamples = 10;

/**
 * Reads a feed without storing anything.
 * @throws Refusal 422 or 502 when it cannot be read as a feed, 422 when it has no articles
 */
export async function lookAtFeed(deps: Pick<PollDeps, "fetch" | "parse">, url: string, now: Date): Promise<LookedFeed> {
  const answer = await fetchFeed(deps.fetch, { url, etag: null, lastModified: null });
  if (answer.kind !== "fetched") throw new Refusal(502, "source_no_content", { url: shownUrl(url) });
  const { title, items, problems } = await deps.parse(answer);
  if (items.length === 0) throw new Refusal(422, "feed_without_articles", { url: shownUrl(url) });
  const timed = items.map((item) => ({ item, at: (item.publishedAt ?? now).getTime() }));
  // In the order of an edition: articles of the same time are sorted by ingestion, latest first.
  const newest = timed.toReversed().toSorted((a, b) => b.at - a.at);
  const fresh = newest.filter(({ at }) => at <= now.getTime() && at >= now.getTime() - freshMs);
  const example = fresh.length === 0;
  const shown = (example ? newest.slice(0, shownExamples) : fresh).map(({ item }) => item);
  return { title, articles: shown.map(asArticle), example, problems };
}

function asArticle(item: FeedItem, position: number): EditionArticle {
  const { title, url, summary, origin, publishedAt } = item;
  return {
    position,
    title,
    url,
    summary,
    tags: cleanTags(item.tags),
    origin,
    publishedAt: publishedAt?.toISOString() ?? null,
  };
}
