import { z } from "zod";
import type { App } from "../../app.ts";
import { bounceKinds } from "../../outcomes/bounce-kind.ts";
import { recordOutcomes, type RecordedLine } from "../../outcomes/record.ts";
import { laterOutcomes } from "../../outcomes/store.ts";
import { sayReason } from "../../texts/catalogue.ts";
import type { ApiServer } from "./server.ts";
import { problems } from "./shapes.ts";

const mostReports = 1_000;
const longestBody = 3_000_000;

const report = z
  .strictObject({
    address: z
      .string()
      .max(500)
      .describe("The reader's address, or the address made from `BOUNCE_ADDRESS` that the email came back to"),
    outcome: z.enum(laterOutcomes),
    edition: z
      .string()
      .max(20)
      .optional()
      .describe("`2026-11-24`, or `2026-11-24.2`; if omitted, the last email to the address before `at`"),
    code: z
      .string()
      .max(100)
      .optional()
      .describe(
        "Enhanced status code, reply code, or both, such as `550 5.1.1`. A bounce without a code counts as soft",
      ),
    text: z.string().max(2_000).optional().describe("Text of the server's reply. Email addresses are removed from it"),
    at: z.iso.datetime({ offset: true }).optional().describe("When it happened; the current time if omitted"),
  })
  .meta({ id: "OutcomeReport" });

const recordedSchema = z
  .object({
    result: z
      .enum(["recorded", "unchanged", "refused"])
      .describe("`unchanged`: this outcome of this email was recorded before"),
    kind: z
      .enum(bounceKinds)
      .nullable()
      .describe(
        "What a bounce says: the address does not exist, it could not take this email, or this sender or content was refused",
      ),
    suppressed: z.boolean().describe("Whether this report suppressed the address"),
    code: z.string().nullable().describe("Why the report was refused"),
    reason: z.string().nullable().describe("The same as a sentence"),
  })
  .meta({ id: "RecordedOutcome" });

/** What other programs know of emails after the relay has accepted them. */
export function addOutcomeRoutes(
  server: ApiServer,
  app: Pick<App, "db" | "clock" | "options" | "noteGone" | "noteReport">,
): void {
  server.post(
    "/outcomes",
    {
      bodyLimit: longestBody,
      config: { role: "editor" },
      schema: {
        summary: `Report up to ${mostReports} bounces and complaints`,
        description:
          "Idempotent: an email bounces once and is complained about once. The response has one result for each report, in order. " +
          "A complaint, or a bounce that says that the address does not exist, suppresses the address at once.",
        tags: ["suppressions"],
        body: z.array(report).min(1).max(mostReports),
        response: { 200: z.object({ outcomes: z.array(recordedSchema) }), ...problems },
      },
    },
    async ({ body, actor }) => {
      const lines = body.map(({ code = null, text = null, at, ...one }) => {
        return { ...one, code, text, at: at === undefined ? null : new Date(at) };
      });
      return { outcomes: (await recordOutcomes(app, lines, { actor, source: "api" })).map(shown) };
    },
  );
}

function shown(line: RecordedLine): z.input<typeof recordedSchema> {
  if (line.result !== "refused") {
    const { result, kind, suppressed } = line;
    return { result, kind, suppressed, code: null, reason: null };
  }
  const { code } = line.reason;
  return { result: line.result, kind: null, suppressed: false, code, reason: sayReason(line.reason) };
}
