import { linkResultInWords } from "../../texts/editions.ts";
import { heldRevision } from "../../editions/edit-held.ts";
import { z } from "zod";
import type { App } from "../../app.ts";
import { actOnEdition } from "../../editions/operator-actions.ts";
import { sendNow } from "../../editions/send-now.ts";
import { editionActions, type EditionAction } from "../../editions/state.ts";
import { getEdition, listEditions, type Edition } from "../../editions/store.ts";
import { frozenWithIds, leftOutArticles } from "../../editions/frozen-articles.ts";
import { countOutcomesOf } from "../../outcomes/store.ts";
import { editionStatus } from "../../alerts/status.ts";
import { parseDate } from "../../base/schedule-values.ts";
import { parseEditionName } from "../../base/edition-name.ts";
import {
  limit,
  problems,
  editionArticleSchema,
  editionStatusSchema,
  listedEditionSchema,
  showEditionStatus,
  showListedEdition,
} from "./shapes.ts";
import type { ApiServer } from "./server.ts";
import { checkLinksNow, type LinkReport } from "../../editions/links-now.ts";

type AppDeps = Pick<App, "options" | "clock" | "log" | "trace" | "db" | "wake" | "gather" | "fetch">;

export const editionParams = z.object({
  date: z.string().describe("`2026-11-24`, or `2026-11-24.2` for an extra edition"),
});

export const editionDetailSchema = editionStatusSchema.extend({
  articles: z.array(editionArticleSchema.extend({ position: z.int() })),
  revision: z
    .string()
    .nullable()
    .describe("Changes when the text or the articles change; null if the edition is not held"),
  leftOut: z
    .array(editionArticleSchema)
    .describe("Articles left out while the edition was held, which can be put back"),
});
export const actedSchema = z.object({
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
  unsuppress:
    "Remove the suppressions that rejected and bounced emails of this edition caused, without sending anything",
};

export function addEditionRoutes(server: ApiServer, app: AppDeps): void {
  const { db } = app;
  const tags = ["editions"];

  const detail = async (edition: Edition): Promise<z.input<typeof editionDetailSchema>> => {
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
        response: { 200: z.object({ editions: z.array(listedEditionSchema) }), ...problems },
      },
    },
    async ({ query }) => {
      const editions = await listEditions(db, query.limit);
      const outcomes = await countOutcomesOf(
        db,
        editions.map(({ id }) => id),
      );
      return { editions: editions.map((edition) => showListedEdition(edition, outcomes.get(edition.id)!)) };
    },
  );

  server.get(
    "/editions/:date",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Get an edition with its balance and articles",
        tags,
        params: editionParams,
        response: { 200: editionDetailSchema, ...problems },
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
        response: { 201: editionDetailSchema, ...problems },
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

export const linkReportSchema = z
  .object({
    links: z.array(
      z.object({
        id: z.int().describe("ID of the article"),
        title: z.string(),
        url: z.string(),
        verdict: z.enum(["fine", "broken", "unsure"]),
        code: z.string().nullable().describe("What is wrong, such as `status`; null if the page exists"),
        reason: z.string().nullable().describe("The same in words, such as `returns 404`"),
        checkedAt: z.date(),
      }),
    ),
    unchecked: z.int().describe("Articles whose links were not checked, or not in time"),
  })
  .meta({ id: "LinkReport" });

/** Checks the links of an edition's articles. */
export function addLinkRoutes(server: ApiServer, app: AppDeps): void {
  const tags = ["editions"];
  const response = { 200: linkReportSchema, ...problems };
  const description = "Requests the pages of the first 40 articles. Takes up to ten seconds.";

  server.post(
    "/editions/next/check-links",
    {
      config: { role: "editor" },
      schema: { summary: "Check the links of the next edition", description, tags, response },
    },
    async ({ actor }) => showReport(await checkLinksNow(app, { edition: null, actor })),
  );

  server.post(
    "/editions/:date/check-links",
    {
      config: { role: "editor" },
      schema: { summary: "Check the links of a frozen edition", description, tags, params: editionParams, response },
    },
    async ({ params, actor }) => {
      const { date, number } = parseEditionName(params.date);
      return showReport(await checkLinksNow(app, { edition: await getEdition(app.db, date, number), actor }));
    },
  );
}

function showReport({ links, unchecked }: LinkReport): z.input<typeof linkReportSchema> {
  const shown = links.map(({ result, ...link }) => ({
    ...link,
    code: result?.code ?? null,
    reason: result && linkResultInWords(result),
  }));
  return { links: shown, unchecked };
}
