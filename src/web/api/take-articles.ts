import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { ingest, type ItemOutcome } from "../../articles/ingest.ts";
import { cleanTag } from "../../articles/tags.ts";
import { decodeEntities } from "../../articles/text.ts";
import { clip, oneLine } from "../../render/plain.ts";
import { problemText, type FeedProblem } from "../../sources/parse-document.ts";
import { toFeedItem, type FeedItem } from "../../sources/parse-item.ts";
import { apiSource } from "../../sources/store.ts";

export const newArticle = z
  .strictObject({
    url: z.string().max(2_048).describe("URL of the article, http or https"),
    title: z.string().max(20_000).describe("Text or HTML; stored as plain text"),
    summary: z.string().max(100_000).default("").describe("Text or HTML; stored as plain text"),
    guid: z.string().min(1).max(500).optional().describe("Your permanent ID for the article"),
    tags: z.array(z.string()).max(30).default([]),
    publishedAt: z.iso.datetime({ offset: true }).optional(),
    origin: z
      .strictObject({ name: z.string().min(1).max(200), url: z.string().max(2_048).optional() })
      .optional()
      .describe("Original source of the article"),
  })
  .meta({ id: "NewArticle" });

type NewArticle = z.output<typeof newArticle>;

/** No URL can be relative to this, so only absolute URLs are valid. */
const noBase = "about:blank";

/** Result for one article. */
export interface TakenArticle extends Omit<ItemOutcome, "leftOut"> {
  /** Ignored tags: the article has the maximum number, or the request has created the maximum number of new ones. */
  leftOutTags: string[];
}

/** Ingests articles like those of a feed. @returns a result for each, in the same order */
export async function takeArticles(app: App, given: NewArticle | NewArticle[]): Promise<TakenArticle[]> {
  const list = Array.isArray(given) ? given : [given];
  const read: { article: NewArticle; item: FeedItem | FeedProblem }[] = [];
  for (const [i, article] of list.entries()) {
    read.push({ article, item: readArticle(article, i + 1) });
    // An article full of markup can take 40 ms, so other requests get a turn between two articles.
    await nextTurn();
  }
  const good = read.flatMap(({ item }) => ("code" in item ? [] : [item]));
  const [first] = read;
  if (!Array.isArray(given) && first && "code" in first.item) {
    throw new Refusal(422, first.item.code, { ...first.item.details });
  }
  const source = await apiSource(app.db, app.clock.now());
  const taken = (await ingest(app, source, good)).values();
  const outcomes = read.map(({ article, item }): TakenArticle => {
    if ("code" in item) {
      return { url: article.url, outcome: "refused", id: null, reason: problemText(item), leftOutTags: [] };
    }
    const { leftOut, ...outcome } = taken.next().value!;
    return { ...outcome, leftOutTags: [...leftOut.articleTags, ...leftOut.newTags] };
  });
  if (!Array.isArray(given) && outcomes[0]?.outcome === "refused") throw new Refusal(422, outcomes[0].reason ?? "");
  return outcomes;
}

function readArticle(article: NewArticle, n: number): FeedItem | FeedProblem {
  const wrong = article.tags.find((tag) => cleanTag(decodeEntities(tag)) === null);
  if (wrong !== undefined) return { code: "feed_item_tag_invalid", details: { n, tag: clip(oneLine(wrong), 60) } };
  return toFeedItem(
    {
      guid: article.guid,
      links: [article.url],
      base: noBase,
      title: article.title,
      texts: [article.summary],
      tags: article.tags,
      dates: [article.publishedAt],
      origin: article.origin && { name: article.origin.name, url: article.origin.url },
    },
    n,
  );
}
