import { z } from "zod";
import type { App } from "../../app.ts";
import { findSuppression, suppressAddress, unsuppress } from "../../subscribers/suppress-address.ts";
import { listSuppressions } from "../../subscribers/suppressions.ts";
import { limit, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const suppressionSchema = z
  .object({
    hash: z.string().describe("Keyed hash of the address; the only stored value if there is no subscriber"),
    address: z.string().nullable().describe("The address, if a suppressed subscriber has it"),
    reason: z.string(),
    detail: z.string().nullable(),
    createdAt: z.date(),
  })
  .meta({ id: "Suppression" });

const address = z.string().max(500);

/** Addresses that must not be emailed, with reasons. */
export function addSuppressionRoutes(server: ApiServer, app: App): void {
  const tags = ["suppressions"];

  server.get(
    "/suppressions",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List suppressions in pages",
        tags,
        querystring: z.strictObject({
          after: z
            .string()
            .regex(/^([0-9a-f]{2}){0,64}$/, "the hash of the last one of the page before")
            .default("")
            .describe("Last hash of the previous page"),
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
    async ({ query }) => {
      const suppressions = await listSuppressions(app.db, app.options.secret, query);
      return { suppressions, next: suppressions.length === query.limit ? suppressions.at(-1)!.hash : null };
    },
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
        params: z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/, "the hash of a suppression") }),
        response: { 204: z.null().describe("Removed"), ...problems },
      },
    },
    async ({ params, actor }, reply) => {
      await unsuppress(app, { hash: params.hash, actor });
      return reply.code(204).send(null);
    },
  );
}
