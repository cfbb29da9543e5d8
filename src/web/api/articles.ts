import { z } from "zod";
import type { App } from "../../app.ts";
import { hideArticle, listArticles } from "../../articles/store.ts";
import { tagLimits } from "../../articles/ingest.ts";
import { existingTags } from "../../articles/tag-store.ts";
import { writeAudit } from "../../audit/audit.ts";
import { newArticle, takeArticles } from "./take-articles.ts";
import { flag, id, limit, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const mostArticles = 1_000;
const longestBody = 10_000_000;

const articleSchema = z
  .object({
    id: z.int(),
    url: z.string(),
    title: z.string(),
    summary: z.string(),
    tags: z.array(z.string()),
    origin: z.string().nullable(),
    publishedAt: z.date().nullable(),
    firstSeenAt: z.date(),
    fate: z.enum(["next edition", "waits for its date", "too old to mail", "hidden", "in an edition"]),
    edition: z.string().nullable(),
  })
  .meta({ id: "Article" });

const outcomeSchema = z.object({
  url: z.string(),
  outcome: z.enum(["added", "updated", "unchanged", "refused"]),
  id: z.int().nullable(),
  reason: z.string().nullable(),
  leftOutTags: z
    .array(z.string())
    .describe(
      `Tags that were ignored. An article can have ${tagLimits.articleTags} tags, and a request can create ` +
        `${tagLimits.newTags} new ones. Send the article again to create the others`,
    ),
});

const listQuery = z.strictObject({ limit: limit(50), tag: z.string().optional(), unclaimed: flag });

export function addArticleRoutes(server: ApiServer, app: App): void {
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
    async (request) => {
      await hideArticle(db, request.params.id);
      const subject = `article ${request.params.id}`;
      await writeAudit(db, { at: clock.now(), actor: request.actor, action: "article hide", subject });
      return { id: request.params.id, hidden: true as const };
    },
  );
}
