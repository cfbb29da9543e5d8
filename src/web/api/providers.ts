import { z } from "zod";
import type { App } from "../../app.ts";
import { providerRates } from "../../outcomes/provider-rates.ts";
import { complaintLevels } from "../../outcomes/rates.ts";
import { resumeProvider } from "../../providers/resume.ts";
import { phaseOf, phases, widthOf } from "../../providers/state.ts";
import { listProviders, outcomeDays, type ListedProvider } from "../../providers/store.ts";
import { limit, problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";

export const providerSchema = z
  .object({
    name: z.string().describe("A large provider, such as `google`, or a receiving domain"),
    state: z
      .enum(phases)
      .describe(
        "`open`: no limit. `paused`: it asked for fewer emails. `blocked`: it refuses all emails. `probing`: one email at a time is tried. `growing`: each accepted email allows one more at a time",
      ),
    nextAttemptAt: z.date().nullable().describe("End of the pause or block; null if there is none"),
    width: z
      .int()
      .nullable()
      .describe("Maximum number of emails at a time: 0 while it is paused or blocked, null for no limit"),
    accepted: z.int().describe("Emails accepted in the last 24 hours"),
    deferred: z.int().describe("Attempts deferred in the last 24 hours"),
    refused: z.int().describe("Emails refused in the last 24 hours"),
    perMinute: z.int().describe("Emails accepted in the last minute"),
    reply: z.string().nullable().describe("The reply that last changed its state"),
    changedAt: z.date().nullable(),
  })
  .meta({ id: "Provider" });

export const providerOutcomesSchema = z
  .object({
    name: z.string(),
    emails: z.int().describe("Emails that it accepted"),
    hard: z.int().describe("Bounces that say that the address does not exist"),
    soft: z.int().describe("Bounces because the mailbox could not take the email"),
    policy: z.int().describe("Bounces because the sender or the content was refused"),
    complained: z.int().describe("Complaints that were reported"),
    bounceRate: z.number().nullable().describe("0 to 1; null if no bounce or complaint was ever reported"),
    complaintRate: z
      .number()
      .nullable()
      .describe("0 to 1; null if no complaint was reported. Many providers never report any"),
    complaintLevel: z
      .enum(complaintLevels)
      .nullable()
      .describe(
        "`raised`: at least 0.1% at Gmail, which asks for less. `high`: at least 0.3%. null with fewer than 5 complaints or 100 emails",
      ),
  })
  .meta({ id: "ProviderOutcomes" });

function showProvider(provider: ListedProvider, now: Date): z.input<typeof providerSchema> {
  const state = phaseOf(provider, now);
  const width = widthOf(provider, now);
  return {
    ...provider,
    state,
    nextAttemptAt: state === "probing" ? null : provider.until,
    width: width === Infinity ? null : width,
  };
}

export function addProviderRoutes(server: ApiServer, app: Pick<App, "db" | "clock" | "wake">): void {
  const tags = ["providers"];

  server.get(
    "/providers",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List mailbox providers of the last 24 hours, those that are paused or blocked first",
        tags,
        querystring: z.strictObject({ limit: limit(50) }),
        response: {
          200: z.object({
            providers: z.array(providerSchema),
            outcomes: z
              .array(providerOutcomesSchema)
              .describe(`Bounces and complaints of the emails of the last ${outcomeDays} days`),
          }),
          ...problems,
        },
      },
    },
    async ({ query }) => {
      const now = app.clock.now();
      const [providers, outcomes] = await Promise.all([
        listProviders(app.db, now, query.limit),
        providerRates(app.db, now, query.limit),
      ]);
      return { providers: providers.map((one) => showProvider(one, now)), outcomes };
    },
  );

  server.post(
    "/providers/:name/resume",
    {
      config: { role: "editor" },
      schema: {
        summary: "End the pause or block of a mailbox provider",
        description: "Sending to it starts again with one email at a time.",
        tags,
        params: z.object({ name: z.string().max(253) }),
        response: {
          200: z.object({ name: z.string(), changed: z.boolean().describe("false if it was not paused or blocked") }),
          ...problems,
        },
      },
    },
    async ({ params, actor }) => ({
      name: params.name,
      ...(await resumeProvider(app, { name: params.name, actor })),
    }),
  );
}
