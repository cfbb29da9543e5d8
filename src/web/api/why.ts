import { z } from "zod";
import type { App } from "../../app.ts";
import { askWhy } from "../../editions/ask-why.ts";
import { parseEditionName } from "../../base/edition-name.ts";
import { id, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";
import { statuses } from "./subscribers.ts";

const whyCodes = [
  "sent",
  "pending",
  "sending",
  "deferred",
  "rejected",
  "expired",
  "unknown",
  "skipped",
  "missed",
  "empty",
  "cancelled",
  "opening",
  "not-signed-up",
  "not-confirmed",
  "unsubscribed",
  "suppressed",
  "paused",
  "no-tags",
  "no-match",
  "changed-tags",
] as const;

const whySchema = z
  .object({
    subscriber: z.object({ id: z.int(), address: z.string(), status: z.enum(statuses) }),
    date: z.iso.date(),
    sentence: z.string().describe("Explanation for the first edition of the date, or why there is none"),
    editions: z.array(
      z.object({
        edition: z.string(),
        state: z.enum(["opening", "held", "sending", "paused", "finished", "cancelled", "missed", "empty"]),
        code: z.enum(whyCodes).describe("State of the delivery, or the first reason why there is none"),
        sentence: z.string(),
        articles: z.array(
          z.object({
            title: z.string(),
            url: z.string(),
            because: z.array(z.string()).describe("The reader's tags that the article has; empty for all news"),
            inMail: z
              .boolean()
              .describe("false if the email had no space for the article, so that it is on the web only"),
          }),
        ),
      }),
    ),
  })
  .meta({ id: "Why" });

export function addWhyRoutes(server: ApiServer, app: App): void {
  server.get(
    "/subscribers/:id/why",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Explain what a reader got on a date, and why",
        tags: ["subscribers"],
        params: id,
        querystring: z.strictObject({
          date: z
            .string()
            .optional()
            .describe("`2026-11-24`, or `2026-11-24.2` for one edition of that date; today if omitted"),
        }),
        response: { 200: whySchema, ...problems },
      },
    },
    async ({ params, query }) => {
      const when = query.date === undefined ? undefined : parseEditionName(query.date);
      const whole = query.date !== undefined && !query.date.includes(".");
      const { subscriber, ...why } = await askWhy(app, params.id, when && (whole ? { date: when.date } : when));
      const { address, status } = subscriber;
      return { subscriber: { id: subscriber.id, address, status }, ...why };
    },
  );
}
