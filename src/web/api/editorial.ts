import { z } from "zod";
import type { App } from "../../app.ts";
import { comingEdition, type ComingEdition } from "../../editions/coming.ts";
import { comingFindings } from "../../editions/coming-findings.ts";
import { editHeld } from "../../editions/edit-held.ts";
import { editComing } from "../../editions/edit.ts";
import { findingInWords } from "../../editions/reason.ts";
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
    send: nextSendSchema.nullable().describe("null if the schedule has no more dates"),
    timezone: z.string(),
    revision: z.int().describe("Number of changes; 0 if nobody has edited the edition"),
    introduction: z.string().nullable(),
    subject: z
      .string()
      .nullable()
      .describe("Subject of all emails; null for the headline of each reader's first article"),
    articles: z
      .array(
        editionArticleSchema.extend({
          leftOut: z.boolean().describe("true if the article is left out and waits for the following edition"),
          placed: z.boolean().describe("true if an editor chose its position"),
          original: z
            .object({ title: z.string(), summary: z.string() })
            .nullable()
            .describe("Text of the source, if an editor replaced it"),
        }),
      )
      .describe("In the order of the email, followed by those left out"),
    findings: z.array(z.string()).describe("Why the pre-send checks would hold the edition now, one sentence each"),
  })
  .meta({ id: "ComingEdition" });

const ids = z.array(z.int().min(1).max(Number.MAX_SAFE_INTEGER)).max(mostArticles);
const ownText = z.string().max(longestText);
const text = ownText.nullish();
const articleKey = z.string().regex(/^[1-9]\d{0,15}$/);
const changeBody = z.strictObject({
  revision: z
    .int()
    .min(0)
    .optional()
    .describe("Revision that you saw; the response is 409 if the edition has changed since"),
  introduction: text.describe("Plain text; a line break starts a new paragraph"),
  subject: text,
  first: ids.optional().describe("Articles to show first, in this order"),
  leftOut: ids.optional().describe("Articles to leave out of this edition; they wait for the following one"),
  words: z
    .record(articleKey, z.strictObject({ title: text, summary: text }))
    .nullish()
    .describe("Title and summary by article ID, in this edition only; null restores the text of the source"),
});
const heldBody = z.strictObject({
  revision: z
    .string()
    .max(100)
    .optional()
    .describe("Revision that you saw; the response is 409 if the edition has changed since"),
  introduction: text,
  subject: text,
  words: z
    .record(articleKey, z.strictObject({ title: ownText.optional(), summary: ownText.optional() }))
    .optional()
    .describe("Title and summary by article ID"),
  first: ids.optional().describe("Articles to move to the front, in this order; the others keep their order"),
  leaveOut: ids.optional().describe("Articles to leave out; they wait for the following edition"),
  takeBack: ids.optional().describe("Articles to put back after they were left out"),
  hide: ids.optional().describe("Articles to remove from this edition and all future ones"),
});
const mailBody = z.strictObject({
  address: z.string().max(320),
  tags: z.array(z.string()).default([]).describe("Show what a reader of these tags gets. If omitted, all news."),
});
const mailed = { 202: z.object({ edition: z.string(), address: z.string() }), ...problems };

/** The coming edition as editors see and change it. */
export function addEditorialRoutes(server: ApiServer, app: App): void {
  const tags = ["editions"];
  const response = { 200: comingSchema, ...problems };

  server.get(
    "/editions/next",
    { config: { role: "viewer" }, schema: { summary: "Get the next edition as it would be now", tags, response } },
    async () => show(app, await comingEdition(app)),
  );

  server.put(
    "/editions/next",
    {
      config: { role: "editor" },
      schema: {
        summary: "Change the order, text and articles of the next edition",
        description: "Omitted fields stay the same. The changes apply to the next edition that is frozen.",
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
        summary: "Change the order, text and articles of a held edition",
        description: "The readers stay the same. Readers without any articles left get no email.",
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
      schema: { summary: "Email a sample copy of the next edition", tags, body: mailBody, response: mailed },
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
        summary: "Email a sample copy of a frozen edition",
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
    findings: (await comingFindings(app, coming)).map(findingInWords),
  };
}
