import { outcomeCodes } from "../../ledger/outcome.ts";
import { outcomeInWords } from "../../texts/deliveries.ts";
import { deliveryStates } from "../../ledger/state.ts";
import { Readable } from "node:stream";
import { z } from "zod";
import type { FastifyReply } from "fastify";
import type { App } from "../../app.ts";
import type { Db } from "../../db/schema.ts";
import {
  tallyEditions,
  findDeliveries,
  listDeliveries,
  type DeliverySearch,
  type ListedDelivery,
} from "../../deliveries/search.ts";
import { getEdition, type Edition } from "../../editions/store.ts";
import { editionName, parseEditionName } from "../../base/edition-name.ts";
import { csvLines } from "../../subscribers/spreadsheet.ts";
import { editionParams } from "./editions.ts";
import { noHead } from "../limits.ts";
import { after, limit, problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";

const deliverySchema = z
  .object({
    id: z.int(),
    state: z.enum(deliveryStates),
    subscriberId: z.int().nullable().describe("null if the reader was erased"),
    address: z.string().nullable(),
    domain: z.string().describe("Domain of the address when the edition was frozen"),
    attempts: z.int(),
    articles: z.int(),
    code: z.enum(outcomeCodes).nullable().describe("Why the delivery has its state, if the relay did not say so"),
    detail: z.string().nullable().describe("The code in words, the last reply, or both"),
    reply: z.string().nullable().describe("Last reply of the relay"),
    dueAt: z.date().nullable(),
    settledAt: z.date().nullable(),
  })
  .meta({ id: "Delivery" });

/** Filters allowed in a URL. They cannot contain an address. */
const filter = {
  state: z.enum(deliveryStates).optional(),
  domain: z
    .string()
    .max(255)
    .regex(/^[^@]*$/, "not_a_domain")
    .optional()
    .describe("Receiving domain"),
};
/** Replies often contain addresses, so this filter is allowed in request bodies only. */
const searchFields = {
  ...filter,
  reply: z.string().max(200).optional().describe("Text in the relay's last reply, or a code"),
};
export const deliveryPageSchema = z.object({
  deliveries: z.array(deliverySchema),
  next: z.int().nullable().describe("Value of `after` for the next page"),
});
const csvAnswer = {
  200: { description: "One line for each delivery", content: { "text/csv": { schema: z.string() } } },
  ...problems,
};

export function addDeliveryRoutes(server: ApiServer, app: Pick<App, "db">): void {
  const tags = ["editions"];
  const editionOf = ({ date }: { date: string }): Promise<Edition> => {
    const name = parseEditionName(date);
    return getEdition(app.db, name.date, name.number);
  };
  const pageOf = async (params: { date: string }, search: DeliverySearch & { after: number; limit: number }) => {
    const edition = await editionOf(params);
    const deliveries = await listDeliveries(app.db, edition.id, search);
    return {
      deliveries: deliveries.map(({ data, ...one }) => ({ ...one, detail: outcomeInWords({ ...one, data }) })),
      next: deliveries.length === search.limit ? deliveries.at(-1)!.id : null,
    };
  };

  server.get(
    "/editions/:date/deliveries",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List an edition's deliveries in pages",
        tags,
        params: editionParams,
        querystring: z.strictObject({ ...filter, after, limit: limit(100) }),
        response: { 200: deliveryPageSchema, ...problems },
      },
    },
    ({ params, query }) => pageOf(params, query),
  );

  server.post(
    "/editions/:date/deliveries/search",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Search an edition's deliveries in pages",
        description: "Uses POST so that URLs contain no addresses from replies.",
        tags,
        params: editionParams,
        body: z.strictObject({ ...searchFields, after, limit: limit(100) }),
        response: { 200: deliveryPageSchema, ...problems },
      },
    },
    ({ params, body }) => pageOf(params, body),
  );

  server.get(
    "/editions/:date/deliveries/domains",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Count an edition's deliveries by receiving domain and state",
        tags,
        params: editionParams,
        querystring: z.strictObject({ limit: limit(20, 100) }),
        response: {
          200: z.object({
            domains: z.array(z.object({ domain: z.string(), state: z.enum(deliveryStates), count: z.int() })),
          }),
          ...problems,
        },
      },
    },
    async ({ params, query }) => {
      const edition = await editionOf(params);
      return { domains: (await tallyEditions(app.db, [edition], query.limit)).get(edition.id)!.domains };
    },
  );

  server.get(
    "/editions/:date/deliveries/export",
    {
      ...noHead,
      config: { role: "editor" },
      schema: {
        summary: "Export an edition's deliveries as CSV",
        description:
          "All cells are quoted. Cells that a spreadsheet would treat as a formula start with an apostrophe.",
        tags,
        params: editionParams,
        querystring: z.strictObject(filter),
        response: csvAnswer,
      },
    },
    async ({ params, query }, reply) => sendDeliveries(reply, app.db, await editionOf(params), query) as never,
  );

  server.post(
    "/editions/:date/deliveries/export",
    {
      config: { role: "editor" },
      schema: {
        summary: "Export an edition's deliveries as CSV, filtered by the text of a reply",
        tags,
        params: editionParams,
        body: z.strictObject(searchFields),
        response: csvAnswer,
      },
    },
    async ({ params, body }, reply) => sendDeliveries(reply, app.db, await editionOf(params), body) as never,
  );
}

/** Sends the matching deliveries of an edition as a CSV file. */
export function sendDeliveries(reply: FastifyReply, db: Db, edition: Edition, search: DeliverySearch): FastifyReply {
  return reply
    .type("text/csv; charset=utf-8")
    .header("content-disposition", `attachment; filename="deliveries-${editionName(edition)}.csv"`)
    .send(Readable.from(deliveriesCsv(findDeliveries(db, edition.id, search))));
}

const header = [
  "id",
  "state",
  "address",
  "domain",
  "attempts",
  "articles",
  "settled_at",
  "due_at",
  "reply",
  "code",
  "detail",
];

async function* deliveriesCsv(pages: AsyncIterable<ListedDelivery[]>): AsyncGenerator<string> {
  yield csvLines([header]);
  for await (const page of pages) {
    yield csvLines(
      page.map((one) => [
        one.id,
        one.state,
        one.address ?? "",
        one.domain,
        one.attempts,
        one.articles,
        one.settledAt?.toISOString() ?? "",
        one.dueAt?.toISOString() ?? "",
        one.reply ?? "",
        one.code ?? "",
        outcomeInWords(one) ?? "",
      ]),
    );
  }
}
