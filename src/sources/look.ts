import { cleanTags } from "../articles/tags.ts";
import { Refusal } from "../base/errors.ts";
import type { EditionArticle } from "../render/types.ts";
import { shownUrl } from "./address.ts";
import { fetchFeed } from "./fetch.ts";
import type { FeedItem } from "./parse.ts";
import type { PollDeps } from "./poll.ts";

/** What a feed would bring, before anything of it is kept. */
export interface LookedFeed {
  title: string | null;
  /** As a first edition would have them; when none is new enough for one, the newest as an example. */
  articles: EditionArticle[];
  /** Whether the articles are that example. */
  example: boolean;
  /** One sentence for each item that could not be read. */
  problems: string[];
}

/** What is older when its feed is first read is kept and never mailed; see `ingest`. */
const freshMs = 48 * 3_600_000;
const shownExamples = 10;

/**
 * Reads a feed and keeps nothing of it.
 * @throws Refusal 422 or 502 with the reason when it cannot be read as a feed, 422 when there is no article in it
 */
export async function lookAtFeed(deps: Pick<PollDeps, "fetch" | "parse">, url: string, now: Date): Promise<LookedFeed> {
  const answer = await fetchFeed(deps.fetch, { url, etag: null, lastModified: null });
  if (answer.kind !== "fetched") throw new Refusal(502, `${shownUrl(url)} sent nothing: try again in a minute.`);
  const { title, items, problems } = await deps.parse(answer);
  if (items.length === 0) throw new Refusal(422, `${shownUrl(url)} is a feed without any article: try another one.`);
  const timed = items.map((item) => ({ item, at: (item.publishedAt ?? now).getTime() }));
  // As an edition lays them out: of the same time, the one taken in last comes first.
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
