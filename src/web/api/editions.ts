import { z } from "zod";
import type { App } from "../../app.ts";
import { heldRevision } from "../../editions/held-revision.ts";
import { actOnEdition } from "../../editions/act.ts";
import { sendNow } from "../../editions/send-now.ts";
import { editionActions, type EditionAction } from "../../editions/state.ts";
import { getEdition, listEditions, type Edition } from "../../editions/store.ts";
import { frozenWithIds, leftOutArticles } from "../../editions/frozen-articles.ts";
import { editionStatus } from "../../operations/status.ts";
import { parseDate } from "../../base/schedule-values.ts";
import { parseEditionName } from "../../base/edition-name.ts";
import { limit, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";
import { editionArticleSchema, editionSchema, editionStatusSchema, showEdition, showEditionStatus } from "./shapes.ts";

export const editionParams = z.object({
  date: z.string().describe("`2026-11-24`, or `2026-11-24.2` for an extra edition"),
});

const detailSchema = editionStatusSchema.extend({
  articles: z.array(editionArticleSchema.extend({ position: z.int() })),
  revision: z
    .string()
    .nullable()
    .describe("Changes when the text or the articles change; null if the edition is not held"),
  leftOut: z
    .array(editionArticleSchema)
    .describe("Articles left out while the edition was held, which can be put back"),
});
const actedSchema = z.object({
  changed: z.boolean().describe("false if nothing had to be changed"),
  affected: z.int().describe("Number of deliveries that changed, or of suppressions that were removed"),
  edition: editionStatusSchema,
});

const sendBody = z.strictObject({ date: z.string().optional(), extra: z.boolean().default(false) }).nullish();
const actBody = z.strictObject({ reason: z.string().max(500).optional() }).nullish();

const summaries: Record<EditionAction, string> = {
  approve: "Send a held edition",
  pause: "Pause sending an edition",
  resume: "Resume sending a paused edition",
  cancel: "Stop an edition permanently",
  retry: "Resend rejected and expired deliveries",
  "resend-unknown": "Resend deliveries whose reply from the relay was lost; readers may get a second copy",
  unsuppress: "Remove the suppressions that rejected emails of this edition caused, without sending anything",
};

export function addEditionRoutes(server: ApiServer, app: App): void {
  const { db } = app;
  const tags = ["editions"];

  const detail = async (edition: Edition): Promise<z.input<typeof detailSchema>> => {
    const articles = await frozenWithIds(db, edition.id);
    return {
      ...showEditionStatus(await editionStatus(db, edition)),
      articles,
      revision: edition.state === "held" ? heldRevision(edition, articles) : null,
      leftOut: edition.state === "held" ? await leftOutArticles(db, edition.id) : [],
    };
  };

  server.get(
    "/editions",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List editions, newest first",
        tags,
        querystring: z.strictObject({ limit: limit(30) }),
        response: { 200: z.object({ editions: z.array(editionSchema) }), ...problems },
      },
    },
    async ({ query }) => ({ editions: (await listEditions(db, query.limit)).map(showEdition) }),
  );

  server.get(
    "/editions/:date",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Get an edition with its balance and articles",
        tags,
        params: editionParams,
        response: { 200: detailSchema, ...problems },
      },
    },
    async ({ params }) => {
      const { date, number } = parseEditionName(params.date);
      return detail(await getEdition(db, date, number));
    },
  );

  server.post(
    "/editions",
    {
      config: { role: "editor" },
      schema: {
        summary: "Send today's edition now",
        tags,
        body: sendBody,
        response: { 201: detailSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { date, extra = false } = request.body ?? {};
      const edition = await sendNow(app, {
        ...(date === undefined ? {} : { date: parseDate(date) }),
        extra,
        actor: request.actor,
      });
      const shown = await detail(edition);
      return reply.code(201).header("location", `/api/v1/editions/${shown.name}`).send(shown);
    },
  );

  for (const action of editionActions) {
    server.post(
      `/editions/:date/${action}`,
      {
        config: { role: "editor" },
        schema: {
          summary: summaries[action],
          tags,
          params: editionParams,
          body: actBody,
          response: { 200: actedSchema, ...problems },
        },
      },
      async ({ params, body, actor }) => {
        const reason = body?.reason;
        const acted = await actOnEdition(app, {
          ...parseEditionName(params.date),
          action,
          actor,
          ...(reason === undefined ? {} : { reason: { code: "other", data: { text: reason } } }),
        });
        const { edition, changed, affected } = acted;
        return { changed, affected, edition: showEditionStatus(await editionStatus(db, edition)) };
      },
    );
  }
}
