import { Refusal, type Reason } from "../../base/errors.ts";
import { sayReason } from "../../texts/catalogue.ts";
import { oneLine } from "../../base/text.ts";
import { clip } from "../../render/plain.ts";
import type { FeedProblem } from "../../sources/parse-document.ts";
import { articleStatuses, listArticles } from "../../articles/store.ts";
import { z } from "zod";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { App } from "../../app.ts";
import { hideFromEditions } from "../../articles/hide.ts";
import { tagLimits, ingest, type ItemOutcome } from "../../articles/ingest.ts";
import { existingTags } from "../../articles/tag-store.ts";
import { flag, id, limit, problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";
import { cleanTag } from "../../articles/tags.ts";
import { decodeEntities } from "../../articles/text.ts";
import { toFeedItem, type FeedItem } from "../../sources/parse-item.ts";
import { apiSource } from "../../sources/store.ts";

const mostArticles = 1_000;
const longestBody = 10_000_000;

export const articleSchema = z
  .object({
    id: z.int(),
    url: z.string(),
    title: z.string(),
    summary: z.string(),
    tags: z.array(z.string()),
    origin: z.string().nullable(),
    publishedAt: z.date().nullable(),
    firstSeenAt: z.date(),
    status: z.enum(articleStatuses),
    edition: z.string().nullable(),
  })
  .meta({ id: "Article" });

export const outcomeSchema = z.object({
  url: z.string(),
  outcome: z.enum(["added", "updated", "unchanged", "refused"]),
  id: z.int().nullable(),
  code: z.string().nullable().describe("Why it was refused, or why it will not be emailed"),
  reason: z.string().nullable().describe("The same as a sentence"),
  leftOutTags: z
    .array(z.string())
    .describe(
      `Tags that were ignored. An article can have ${tagLimits.articleTags} tags, and a request can create ` +
        `${tagLimits.newTags} new ones. Send the article again to create the others`,
    ),
});

const listQuery = z.strictObject({ limit: limit(50), tag: z.string().optional(), unclaimed: flag });

export function addArticleRoutes(server: ApiServer, app: Pick<App, "clock" | "db">): void {
  const { db, clock } = app;
  const tags = ["articles"];

  server.get(
    "/articles",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List articles, newest first",
        tags,
        querystring: listQuery,
        response: { 200: z.object({ articles: z.array(articleSchema) }), ...problems },
      },
    },
    async ({ query: { tag, ...query } }) => {
      const [tagId] = tag === undefined ? [] : await existingTags(db, [tag]);
      const options = { ...query, now: clock.now(), ...(tagId === undefined ? {} : { tagId }) };
      return { articles: await listArticles(db, options) };
    },
  );

  server.post(
    "/articles",
    {
      bodyLimit: longestBody,
      config: { role: "editor" },
      schema: {
        summary: "Add one article, or a list of up to 1000",
        description:
          "Idempotent, because articles are identified by their guid and URL. A list gets one result for each item, in order. " +
          "A single article that is refused gets a 422 response.",
        tags,
        body: z.union([z.array(newArticle).min(1).max(mostArticles), newArticle]),
        response: { 200: z.object({ articles: z.array(outcomeSchema) }), ...problems },
      },
    },
    async (request) => ({ articles: await takeArticles(app, request.body) }),
  );

  server.post(
    "/articles/:id/hide",
    {
      config: { role: "editor" },
      schema: {
        summary: "Remove an article from all future editions",
        tags,
        params: id,
        response: { 200: z.object({ id: z.int(), hidden: z.literal(true) }), ...problems },
      },
    },
    async ({ params: { id: articleId }, actor }) => {
      await hideFromEditions(app, { id: articleId, actor });
      return { id: articleId, hidden: true as const };
    },
  );
}

const newArticle = z
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
export interface TakenArticle extends Omit<ItemOutcome, "leftOut" | "reason"> {
  /** Why it was refused, or why it will not be emailed; `reason` is its sentence. */
  code: string | null;
  reason: string | null;
  /** Ignored tags: the article has the maximum number, or the request has created the maximum number of new ones. */
  leftOutTags: string[];
}

/** Ingests articles like those of a feed. @returns a result for each, in the same order */
async function takeArticles(app: Pick<App, "clock" | "db">, given: NewArticle | NewArticle[]): Promise<TakenArticle[]> {
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
  const ingested = await ingest(app, source, good);
  const [only] = ingested;
  if (!Array.isArray(given) && only?.outcome === "refused" && only.reason) {
    throw new Refusal(422, only.reason.code, only.reason.details);
  }
  const taken = ingested.values();
  return read.map(({ article, item }): TakenArticle => {
    if ("code" in item) {
      return { url: article.url, outcome: "refused", id: null, ...shown(item), leftOutTags: [] };
    }
    const { leftOut, reason, ...outcome } = taken.next().value!;
    return { ...outcome, ...shown(reason), leftOutTags: [...leftOut.articleTags, ...leftOut.newTags] };
  });
}

function shown(reason: Reason | null): { code: string | null; reason: string | null } {
  return { code: reason?.code ?? null, reason: reason && sayReason(reason) };
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
