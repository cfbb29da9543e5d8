import { Readable } from "node:stream";
import { z } from "zod";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { importSubscribers, sayRefusedLine, type ImportReport } from "../../subscribers/import.ts";
import { parseColumnMap, readCsv, readNdjson } from "../../subscribers/import-rows.ts";
import { exportCsv, exportNdjson } from "./export.ts";
import { noHead } from "../limits.ts";
import { flag, problems, several } from "./schemas.ts";
import type { ApiServer } from "./server.ts";
import { statuses } from "./subscribers.ts";
import { withUpload } from "./upload.ts";

const mostMegabytes = 100;
const csv = "text/csv";
const ndjson = "application/x-ndjson";

const reportSchema = z
  .object({
    imported: z.boolean().describe("false for a dry run"),
    lines: z.int(),
    added: z.int(),
    updated: z.int(),
    unchanged: z.int(),
    refused: z
      .array(
        z.object({
          line: z.int(),
          reason: z.string().describe("One or more sentences"),
          reasons: z.array(z.object({ code: z.string(), details: z.record(z.string(), z.unknown()) })),
        }),
      )
      .describe("The first 1000 refused lines, in order"),
    refusedCount: z.int().describe("Number of all refused lines"),
  })
  .meta({ id: "ImportReport" });

const importQuery = z.strictObject({
  strict: flag.describe("Import nothing if any line is refused; the response is then 422 with the report"),
  dryRun: flag.describe("Return the report without importing anything"),
  confirmed: flag.describe("Readers without a status in the list have agreed to get emails"),
  createTags: flag.describe("Create tags that no article has had yet"),
  map: several.describe("Name of a column in the list, for example `address=E-Mail`; can be repeated"),
});

export function addListRoutes(server: ApiServer, app: App): void {
  const tags = ["subscribers"];

  server.register(async (scope) => {
    const types = [csv, ndjson];
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(types, (_request, payload, done) => done(null, payload));
    (scope as ApiServer).post(
      "/subscribers/import",
      {
        config: { role: "editor" },
        schema: {
          summary: `Import subscribers from CSV or NDJSON of up to ${mostMegabytes} MB`,
          tags,
          consumes: types,
          querystring: importQuery,
          body: z.custom<Readable>(
            (given) => given instanceof Readable,
            "a list of readers as text/csv or application/x-ndjson",
          ),
          response: { 200: reportSchema, ...problems },
        },
      },
      async ({ body, query, headers, actor }) => {
        const read = headers["content-type"]?.startsWith(csv) ? readCsv : readNdjson;
        const { map, ...options } = query;
        const names = parseColumnMap(map);
        const report = withSentences(
          await withUpload(body, mostMegabytes, (list) =>
            importSubscribers(app, read(list, names), { ...options, actor }),
          ),
        );
        if (query.strict && report.refusedCount > 0) refuse(report);
        return report;
      },
    );
  });

  server.get(
    "/subscribers/export",
    {
      ...noHead,
      config: { role: "editor" },
      schema: {
        summary: "Export subscribers in a format that can be imported",
        description:
          "In CSV, all cells are quoted. Cells that a spreadsheet would treat as a formula start with an apostrophe, which imports remove.",
        tags,
        querystring: z.strictObject({
          format: z.enum(["csv", "ndjson"]).default("csv"),
          status: z.enum(statuses).optional(),
        }),
        response: {
          200: {
            description: "One line for each subscriber",
            content: { [csv]: { schema: z.string() }, [ndjson]: { schema: z.string() } },
          },
          ...problems,
        },
      },
    },
    async ({ query }, reply) => {
      const lines = query.format === "csv" ? exportCsv(app.db, query.status) : exportNdjson(app.db, query.status);
      return reply
        .type(query.format === "csv" ? `${csv}; charset=utf-8` : ndjson)
        .header("content-disposition", `attachment; filename="subscribers.${query.format}"`)
        .send(Readable.from(lines) as never);
    },
  );
}

function withSentences(report: ImportReport) {
  const refused = report.refused.map((line) => ({ ...line, reason: sayRefusedLine(line) }));
  return { ...report, refused };
}

function refuse(report: ReturnType<typeof withSentences>): never {
  const wrong = report.refusedCount === 1 ? "1 line was" : `${report.refusedCount} lines were`;
  throw new Refusal(422, `${wrong} refused, so nothing was imported: mend the list, or leave out \`strict\`.`, {
    ...report,
  });
}
