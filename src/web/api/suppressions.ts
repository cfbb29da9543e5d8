import { suppressAddress, unsuppress } from "../../subscribers/suppressions.ts";
import { exportSuppressions, importSuppressions } from "../../subscribers/suppression-list.ts";
import { outcomeSources } from "../../outcomes/store.ts";
import { removeSuppressions } from "../../subscribers/remove-suppressions.ts";
import {
  countSuppressions,
  findSuppression,
  listSuppressions,
  readSearch,
} from "../../subscribers/suppression-search.ts";
import { Readable } from "node:stream";
import { z } from "zod";
import type { App } from "../../app.ts";
import { noHead } from "../limits.ts";
import { csv, mostMegabytes, refuse, refusedFields, withSentences, withUpload } from "./lists.ts";
import { flag, limit, problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";

export const suppressionSchema = z
  .object({
    hash: z.string().describe("Keyed hash of the address; the only stored value if there is no subscriber"),
    address: z.string().nullable().describe("The address, if a suppressed subscriber has it"),
    reason: z.string(),
    detail: z.string().nullable(),
    createdAt: z.date(),
    edition: z.string().nullable().describe("The edition whose email was refused or reported"),
    source: z
      .enum(["relay", ...outcomeSources])
      .nullable()
      .describe(
        "How it was reported: the relay's reply, or a way in for reports; null for an operator, an import or an erasure",
      ),
  })
  .meta({ id: "Suppression" });

export const suppressionCountSchema = z
  .object({ reason: z.string().describe("A code, or `other` for all reasons in words"), count: z.int() })
  .meta({ id: "SuppressionCount" });

export const removedSuppressionsSchema = z
  .object({
    count: z.int().describe("Suppressions that were removed, or would be"),
    resumed: z.int().describe("Readers who are active again; 0 for a dry run"),
    removed: z.boolean().describe("false for a dry run"),
  })
  .meta({ id: "RemovedSuppressions" });

const reason = z.string().min(1).max(200);
const period = {
  edition: z.string().optional().describe("The edition that caused them"),
  since: z.string().optional().describe("First date, in the publication's time zone"),
  until: z.string().optional().describe("Last date"),
};
const search = {
  reason: reason.optional().describe("A code, `other` for all reasons in words, or a reason in words"),
  ...period,
};

export const suppressionsReportSchema = z
  .object({
    imported: z.boolean().describe("false for a dry run"),
    lines: z.int(),
    suppressed: z.int().describe("New suppressions, and existing ones whose reason has changed"),
    unchanged: z.int(),
    kept: z.int().describe("Active readers who have confirmed a subscription here since then and stay subscribed"),
    ...refusedFields,
  })
  .meta({ id: "SuppressionsReport" });

const address = z.string().max(500);

/** Addresses that must not be emailed, with reasons. */
export function addSuppressionRoutes(server: ApiServer, app: Pick<App, "options" | "clock" | "db">): void {
  const tags = ["suppressions"];

  server.get(
    "/suppressions",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List suppressions in pages, newest first",
        tags,
        querystring: z.strictObject({
          ...search,
          after: z.string().max(100).default("").describe("`next` of the previous page"),
          limit: limit(100),
        }),
        response: {
          200: z.object({
            suppressions: z.array(suppressionSchema),
            next: z.string().nullable().describe("Value of `after` for the next page"),
          }),
          ...problems,
        },
      },
    },
    async ({ query: { after, limit: most, ...asked } }) =>
      listSuppressions(app.db, app.options.secret, { after, limit: most }, await readSearch(app.db, asked)),
  );

  server.get(
    "/suppressions/counts",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Count suppressions by reason",
        tags,
        querystring: z.strictObject(period),
        response: { 200: z.object({ counts: z.array(suppressionCountSchema) }), ...problems },
      },
    },
    async ({ query }) => ({ counts: await countSuppressions(app.db, await readSearch(app.db, query)) }),
  );

  server.post(
    "/suppressions/remove",
    {
      config: { role: "editor" },
      schema: {
        summary: "Remove all suppressions with one reason, from an edition or a period",
        description:
          "Readers who were suppressed because of an edition's email get emails again. Other addresses can be signed up again. Suppressions of owners who complained, unsubscribed or deleted their data cannot be removed together.",
        tags,
        body: z.strictObject({ ...search, reason, dryRun: z.boolean().default(false) }),
        response: { 200: removedSuppressionsSchema, ...problems },
      },
    },
    ({ body, actor }) => removeSuppressions(app, { ...body, actor }),
  );

  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(csv, (_request, payload, done) => done(null, payload));
    (scope as ApiServer).post(
      "/suppressions/import",
      {
        config: { role: "editor" },
        schema: {
          summary: `Import suppressions from CSV of up to ${mostMegabytes} MB`,
          description:
            "Columns: `address` or `hash`, and optionally `reason`, `detail` and `date`. Hashes can only be imported on a server with the same SECRET as the server that exported them.",
          tags,
          consumes: [csv],
          querystring: z.strictObject({
            strict: flag.describe("Import nothing if any line is refused; the response is then 422 with the report"),
            dryRun: flag.describe("Return the report without importing anything"),
          }),
          body: z.custom<Readable>((given) => given instanceof Readable, "not_a_list"),
          response: { 200: suppressionsReportSchema, ...problems },
        },
      },
      async ({ body, query, actor }) => {
        const report = withSentences(
          await withUpload(body, mostMegabytes, (list) => importSuppressions(app, list, { ...query, actor })),
        );
        if (query.strict && report.refusedCount > 0) refuse(report);
        return report;
      },
    );
  });

  server.get(
    "/suppressions/export",
    {
      ...noHead,
      config: { role: "editor" },
      schema: {
        summary: "Export all suppressions as CSV that can be imported",
        description: "`key_id` identifies the SECRET that the hashes were made with.",
        tags,
        response: {
          200: { description: "One line for each suppression", content: { [csv]: { schema: z.string() } } },
          ...problems,
        },
      },
    },
    async (_request, reply) =>
      reply
        .type(`${csv}; charset=utf-8`)
        .header("content-disposition", 'attachment; filename="suppressions.csv"')
        .send(Readable.from(exportSuppressions(app)) as never),
  );

  server.post(
    "/suppressions",
    {
      config: { role: "editor" },
      schema: {
        summary: "Stop all emails to an address",
        tags,
        body: z.strictObject({
          address,
          reason: z.string().min(1).max(100).default("operator").describe("`complaint` is permanent"),
          detail: z.string().max(500).nullable().default(null),
        }),
        response: { 201: z.object({ address: z.string(), reason: z.string() }), ...problems },
      },
    },
    async ({ body, actor }, reply) => reply.code(201).send(await suppressAddress(app, { ...body, actor })),
  );

  server.post(
    "/suppressions/lookup",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Find a suppression by address",
        description: "Uses POST so that URLs contain no addresses.",
        tags,
        body: z.strictObject({ address }),
        response: { 200: suppressionSchema, ...problems },
      },
    },
    ({ body }) => findSuppression(app, body.address),
  );

  server.delete(
    "/suppressions/:hash",
    {
      config: { role: "editor" },
      schema: {
        summary: "Remove a suppression, so that the owner of the address can sign up again",
        tags,
        params: z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/, "not_a_hash") }),
        response: { 204: z.null().describe("Removed"), ...problems },
      },
    },
    async ({ params, actor }, reply) => {
      await unsuppress(app, { hash: params.hash, actor });
      return reply.code(204).send(null);
    },
  );
}
