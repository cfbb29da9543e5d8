import { newestSample, printSample, type SampleCopy, type SampleOf, sampleOfEdition } from "../../editions/sample.ts";
import { comingFindings } from "../../editions/pre-send-facts.ts";
import {
  editionArticleSchema,
  editionSchema,
  editionWarmUpSchema,
  nextSendSchema,
  showEdition,
  showSend,
  problems,
  several,
} from "./shapes.ts";
import { z } from "zod";
import type { App } from "../../app.ts";
import { comingEdition, comingWarmUp, type ComingEdition, comingSample } from "../../editions/upcoming.ts";
import { editHeld } from "../../editions/edit-held.ts";
import { editComing } from "../../editions/edit.ts";
import { findingInWords } from "../../texts/editions.ts";
import { getEdition } from "../../editions/store.ts";
import { editionName, parseEditionName } from "../../base/edition-name.ts";
import { editionParams } from "./editions.ts";
import type { ApiServer } from "./server.ts";
import { chooseTags, type TagChoice } from "../../articles/tag-choice.ts";
import { mailEdition } from "../../editions/mail-edition.ts";
import { noSuchTag } from "../../articles/tag-store.ts";
import { Refusal } from "../../base/errors.ts";
import { confineMail } from "../security.ts";

type AppDeps = Pick<App, "options" | "clock" | "db" | "wake" | "caps" | "publication" | "templates" | "samples">;

/** Far above what a mail holds, which is refused in words. */
const longestText = 20_000;
const mostArticles = 1_000;

export const comingSchema = z
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
    warmUp: editionWarmUpSchema.nullable().describe("As if the edition were frozen now; null if its date has no limit"),
    findings: z.array(z.string()).describe("Why the pre-send checks would hold the edition now, one sentence each"),
  })
  .meta({ id: "ComingEdition" });

const ids = z.array(z.int().min(1).max(Number.MAX_SAFE_INTEGER)).max(mostArticles);
const ownText = z.string().max(longestText);
const text = ownText.nullish();
const articleKey = z.string().regex(/^[1-9]\d{0,15}$/, "not_an_id");
const changeBody = z.strictObject({
  revision: z
    .int()
    .min(0)
    .optional()
    .describe("Revision that you saw; the response is 409 if the edition has changed since"),
  introduction: text.describe("Markdown: paragraphs, emphasis, links and lists. A line break starts a new paragraph"),
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
export function addEditorialRoutes(server: ApiServer, app: AppDeps): void {
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

async function show(app: AppDeps, coming: ComingEdition): Promise<z.input<typeof comingSchema>> {
  const { draft, articles, send, ...edition } = coming;
  const { introduction, subject, first } = draft;
  return {
    ...edition,
    send: send && showSend(send),
    introduction,
    subject,
    articles: articles.map((article) => ({ ...article, placed: first.includes(article.id) })),
    warmUp: await comingWarmUp(app, coming),
    findings: (await comingFindings(app, coming)).map((one) => findingInWords(one)),
  };
}

const forms: Record<"html" | "text" | "eml", { type: string; print(copy: SampleCopy): string | Buffer }> = {
  html: { type: "text/html; charset=utf-8", print: (copy) => copy.html() },
  text: { type: "text/plain; charset=utf-8", print: (copy) => copy.text() },
  eml: { type: "message/rfc822", print: (copy) => copy.message() },
};

const querystring = z.strictObject({
  tags: several.describe("Tag to include; can be repeated. If omitted, all news."),
  as: z.enum(["html", "text", "eml"]).default("html"),
});
const response = {
  200: {
    description: "A sample copy",
    content: Object.fromEntries(Object.values(forms).map(({ type }) => [type.split(";")[0]!, { schema: z.string() }])),
  },
  ...problems,
};

/** Sample copies, built like real emails but not stored. */
export function addPreviewRoutes(server: ApiServer, app: AppDeps): void {
  const tags = ["editions"];
  const routes: { path: string; summary: string; of(choice: TagChoice): Promise<SampleOf> }[] = [
    { path: "next", summary: "Preview the next edition as it would be now", of: () => comingSample(app) },
    {
      path: "newest",
      summary: "Get the sample copy that readers see: the newest edition with any of the tags, or the newest articles",
      of: async (choice) => (await newestSample(app, choice)).of,
    },
  ];

  for (const { path, summary, of } of routes) {
    server.get(
      `/editions/${path}/preview`,
      { config: { role: "viewer" }, schema: { summary, tags, querystring, response } },
      async ({ query }, reply) => answer(reply, query, of),
    );
  }

  server.get(
    "/editions/:date/preview",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Preview an edition as a reader of these tags gets it",
        tags,
        params: editionParams,
        querystring,
        response,
      },
    },
    async ({ params, query }, reply) => {
      const { date, number } = parseEditionName(params.date);
      return answer(reply, query, async () => sampleOfEdition(app.db, await getEdition(app.db, date, number)));
    },
  );

  async function answer(
    reply: Parameters<typeof confineMail>[0],
    query: z.output<typeof querystring>,
    find: (choice: TagChoice) => Promise<SampleOf>,
  ) {
    const choice = await chooseTags(app.db, query.tags);
    refuseUnknown(choice);
    const of = await find(choice);
    const copy = await printSample(app, of, choice);
    if (!copy) throw nothing(of, choice);
    const { type, print } = forms[query.as];
    return confineMail(reply, copy.pictures).type(type).send(print(copy)) as never;
  }
}

function refuseUnknown({ unknown, hidden }: TagChoice): void {
  if (unknown.length === 0) return;
  if (hidden.length > 0) {
    const names = hidden.map((name) => JSON.stringify(name)).join(", ");
    throw new Refusal(422, "preview_tag_hidden", { tags: names, hidden });
  }
  throw noSuchTag(unknown);
}

function nothing({ edition }: SampleOf, { known }: TagChoice): Refusal {
  const tags = known.length === 0 ? "no" : "yes";
  return new Refusal(404, "edition_without_articles", { edition: editionName(edition), tags });
}
