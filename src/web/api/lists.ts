import { Readable, Transform } from "node:stream";
import { z } from "zod";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { importSubscribers, type ImportReport } from "../../subscribers/import.ts";
import { sayRefusedLine } from "../../texts/problems.ts";
import { exportFormats } from "../../subscribers/export-formats.ts";
import { parseColumnMap, readCsv, readNdjson, joinTags } from "../../subscribers/import-rows.ts";
import { noHead } from "../limits.ts";
import { flag, problems, several } from "./shapes.ts";
import type { ApiServer } from "./server.ts";
import { statuses } from "./subscribers.ts";
import type { Db, SubscriberStatus } from "../../db/schema.ts";
import { csvLines } from "../../subscribers/spreadsheet.ts";
import { listSubscribers, type Subscriber } from "../../subscribers/store.ts";

export const mostMegabytes = 100;
export const csv = "text/csv";
const ndjson = "application/x-ndjson";

export const refusedFields = {
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
};

export const importReportSchema = z
  .object({
    imported: z.boolean().describe("false for a dry run"),
    tool: z
      .enum(exportFormats)
      .nullable()
      .describe("The tool that exported the list, recognised by its header; null for any other list"),
    lines: z.int(),
    added: z.int(),
    updated: z.int(),
    unchanged: z.int(),
    suppressed: z.int().describe("People who left, bounced or complained in that tool and are suppressed now"),
    ...refusedFields,
  })
  .meta({ id: "ImportReport" });

const importQuery = z.strictObject({
  strict: flag.describe("Import nothing if any line is refused; the response is then 422 with the report"),
  dryRun: flag.describe("Return the report without importing anything"),
  confirmed: flag.describe("Readers without a status in the list have agreed to get emails"),
  createTags: flag.describe("Create tags that no article has had yet"),
  allTags: flag.describe("Readers without a tag follow all news; otherwise, their lines are refused"),
  map: several.describe("Name of a column in the list, for example `address=E-Mail`; can be repeated"),
});

export function addListRoutes(server: ApiServer, app: Pick<App, "options" | "clock" | "db">): void {
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
          description:
            "CSV exports from Mailchimp, listmonk, Ghost, Substack, Buttondown and beehiiv are recognised by their header.",
          tags,
          consumes: types,
          querystring: importQuery,
          body: z.custom<Readable>((given) => given instanceof Readable, "not_a_list"),
          response: { 200: importReportSchema, ...problems },
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

/** The report with a sentence for each refused line. */
export function withSentences<T extends Pick<ImportReport, "refused">>(report: T) {
  const refused = report.refused.map((line) => ({ ...line, reason: sayRefusedLine(line) }));
  return { ...report, refused };
}

/** What `strict` answers. */
export function refuse(report: object): never {
  throw new Refusal(422, "import_refused", { ...report });
}

/**
 * Stores an upload in a private file and passes it to `work`. A transaction must not wait for a slow client, and an incomplete
 * upload must not look like a complete list.
 * @throws Refusal 413 for more than `megabytes`, 400 if the upload is incomplete
 */
export async function withUpload<T>(
  upload: Readable,
  megabytes: number,
  work: (list: Readable) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "dayletter-import-"));
  const file = join(folder, "list");
  try {
    await receive(upload, file, megabytes);
    return await work(createReadStream(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function receive(upload: Readable, file: string, megabytes: number): Promise<void> {
  try {
    await pipeline(upload, limitTo(megabytes), createWriteStream(file, { mode: 0o600 }));
  } catch (error) {
    if (error instanceof Refusal || !upload.destroyed || !isAbort(error)) throw error;
    throw new Refusal(400, "upload_incomplete");
  }
}

function isAbort(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE";
}

function limitTo(megabytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes <= megabytes * 1_000_000) return done(null, chunk);
      done(new Refusal(413, "upload_too_large", { megabytes }));
    },
  });
}

const pageSize = 1_000;
const header = ["address", "status", "all_tags", "tags", "confirmed_at", "timezone"];

/** Subscribers as CSV in a format that an import can read. */
export async function* exportCsv(db: Db, status?: SubscriberStatus): AsyncGenerator<string> {
  yield csvLines([header]);
  for await (const page of pages(db, status)) {
    yield csvLines(
      page.map((one) => [
        one.address,
        one.status,
        String(one.allTags),
        joinTags(one.tags),
        one.confirmedAt?.toISOString() ?? "",
        one.timezone ?? "",
      ]),
    );
  }
}

async function* exportNdjson(db: Db, status?: SubscriberStatus): AsyncGenerator<string> {
  for await (const page of pages(db, status)) {
    yield page
      .map((one) => {
        const { address, tags, confirmedAt, timezone } = one;
        const row = { address, status: one.status, all_tags: one.allTags, tags, confirmed_at: confirmedAt, timezone };
        return `${JSON.stringify(row)}\n`;
      })
      .join("");
  }
}

async function* pages(db: Db, status?: SubscriberStatus): AsyncGenerator<Subscriber[]> {
  for (let after = 0; ;) {
    const page = await listSubscribers(db, { after, limit: pageSize, ...(status === undefined ? {} : { status }) });
    const last = page.at(-1);
    if (!last) return;
    yield page;
    after = last.id;
  }
}
