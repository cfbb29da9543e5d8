import { z } from "zod";
import type { App } from "../../app.ts";
import { comingEdition, type ComingEdition } from "../../editions/coming.ts";
import { comingFindings } from "../../editions/coming-findings.ts";
import { editHeld } from "../../editions/edit-held.ts";
import { editComing } from "../../editions/edit.ts";
import { getEdition } from "../../editions/store.ts";
import { editionName, parseEditionName } from "../../base/edition-name.ts";
import { mailEdition } from "../../editions/mail-edition.ts";
import { editionParams } from "./editions.ts";
import { problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";
import { editionArticleSchema, editionSchema, nextSendSchema, showEdition } from "./shapes.ts";

/** Far above what a mail holds, which is refused in words. */
const longestText = 20_000;
const mostArticles = 1_000;

const comingSchema = z
  .object({
    date: z.iso.date(),
    send: nextSendSchema.nullable().describe("null when no date is left to send on"),
    timezone: z.string(),
    revision: z.int().describe("Counts changes; 0 while nobody has edited it"),
    introduction: z.string().nullable(),
    subject: z.string().nullable().describe("Instead of the headline of each reader's first article"),
    articles: z
      .array(
        editionArticleSchema.extend({
          leftOut: z.boolean().describe("Stays out of this edition and waits for the next one"),
          placed: z.boolean().describe("Has its place from an editor"),
          original: z
            .object({ title: z.string(), summary: z.string() })
            .nullable()
            .describe("Its source's words, where an editor's own stand instead"),
        }),
      )
      .describe("In the order of the mail; those left out are at the end"),
    findings: z.array(z.string()).describe("Why the gate would hold it as it stands, a sentence each"),
  })
  .meta({ id: "ComingEdition" });

const ids = z.array(z.int().min(1).max(Number.MAX_SAFE_INTEGER)).max(mostArticles);
const ownText = z.string().max(longestText);
const text = ownText.nullish();
const articleKey = z.string().regex(/^[1-9]\d{0,15}$/);
const changeBody = z.strictObject({
  revision: z.int().min(0).optional().describe("As it was shown; a change that came between is then answered with 409"),
  introduction: text.describe("Plain text; a line break begins a paragraph"),
  subject: text,
  first: ids.optional().describe("Articles that come first, in this order; the first of them leads"),
  leftOut: ids.optional().describe("Articles that stay out of this edition and wait for the next one"),
  words: z
    .record(articleKey, z.strictObject({ title: text, summary: text }))
    .nullish()
    .describe("Own title and summary by article id, in this edition only; null gives the source's back"),
});
const heldBody = z.strictObject({
  revision: z
    .string()
    .max(100)
    .optional()
    .describe("As it was shown; a change that came between is then answered with 409"),
  introduction: text,
  subject: text,
  words: z
    .record(articleKey, z.strictObject({ title: ownText.optional(), summary: ownText.optional() }))
    .optional()
    .describe("Own title and summary by article id"),
  first: ids.optional().describe("Articles that come first from now on, in this order; the others follow as they were"),
  leaveOut: ids.optional().describe("Articles that wait for the next edition from now on"),
  takeBack: ids.optional().describe("Articles that were left out, and are to be in it again"),
  hide: ids.optional().describe("Articles that are left out of it and of every other edition"),
});
const mailBody = z.strictObject({
  address: z.string().max(320),
  tags: z.array(z.string()).default([]).describe("As a reader of these tags would get it. Without them, all news."),
});
const mailed = { 202: z.object({ edition: z.string(), address: z.string() }), ...problems };

/** The coming edition as editors see and change it. */
export function addEditorialRoutes(server: ApiServer, app: App): void {
  const tags = ["editions"];
  const response = { 200: comingSchema, ...problems };

  server.get(
    "/editions/next",
    { config: { role: "viewer" }, schema: { summary: "The coming edition as it would be now", tags, response } },
    async () => show(app, await comingEdition(app)),
  );

  server.put(
    "/editions/next",
    {
      config: { role: "editor" },
      schema: {
        summary: "Change the coming edition: its order, its words, what stays out",
        description: "What is left out of the request stays as it is. The next edition that is frozen takes it all.",
        tags,
        body: changeBody,
        response,
      },
    },
    async ({ body, actor }) => {
      const { revision, ...change } = body;
      return show(app, await editComing(app, { change, revision, actor }));
    },
  );

  server.put(
    "/editions/:date",
    {
      config: { role: "editor" },
      schema: {
        summary: "Change an edition that is held: its order, its words, what stays out",
        description: "Its readers stay as they were frozen; whoever has no article left gets nothing.",
        tags,
        params: editionParams,
        body: heldBody,
        response: { 200: editionSchema, ...problems },
      },
    },
    async ({ params, body, actor }) => {
      const { revision, ...change } = body;
      return showEdition(await editHeld(app, { ...parseEditionName(params.date), change, revision, actor }));
    },
  );

  server.post(
    "/editions/next/test",
    {
      config: { role: "editor" },
      schema: { summary: "Mail a sample copy of the coming edition", tags, body: mailBody, response: mailed },
    },
    async ({ body, actor }, reply) => {
      const { date } = await comingEdition(app);
      await mailEdition(app, { ...body, edition: null, actor });
      return reply.code(202).send({ edition: date, address: body.address });
    },
  );

  server.post(
    "/editions/:date/test",
    {
      config: { role: "editor" },
      schema: {
        summary: "Mail a sample copy of a frozen edition",
        tags,
        params: editionParams,
        body: mailBody,
        response: mailed,
      },
    },
    async ({ params, body, actor }, reply) => {
      const { date, number } = parseEditionName(params.date);
      const edition = await getEdition(app.db, date, number);
      await mailEdition(app, { ...body, edition, actor });
      return reply.code(202).send({ edition: editionName(edition), address: body.address });
    },
  );
}

async function show(app: App, coming: ComingEdition): Promise<z.input<typeof comingSchema>> {
  const { draft, articles, ...edition } = coming;
  const { introduction, subject, first } = draft;
  return {
    ...edition,
    introduction,
    subject,
    articles: articles.map((article) => ({ ...article, placed: first.includes(article.id) })),
    findings: await comingFindings(app, coming),
  };
}
