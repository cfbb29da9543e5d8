import { Readable } from "node:stream";
import { stringify } from "csv-stringify/sync";
import { z } from "zod";
import type { App } from "../../app.ts";
import { countByDomain, findDeliveries, listDeliveries, type ListedDelivery } from "../../deliveries/search.ts";
import { getEdition, type Edition } from "../../editions/store.ts";
import { editionName, parseEditionName } from "../../editions/name.ts";
import { guardCell } from "../../subscribers/spreadsheet.ts";
import { editionParams } from "./editions.ts";
import { after, limit, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const states = ["pending", "sending", "sent", "deferred", "rejected", "expired", "unknown", "skipped"] as const;

const deliverySchema = z
  .object({
    id: z.int(),
    state: z.enum(states),
    subscriberId: z.int().nullable().describe("null when the reader was erased"),
    address: z.string().nullable(),
    domain: z.string().describe("Of the address at the freeze"),
    attempts: z.int(),
    articles: z.int(),
    reply: z.string().nullable().describe("What the relay said last, or why it was skipped"),
    dueAt: z.date().nullable(),
    settledAt: z.date().nullable(),
  })
  .meta({ id: "Delivery" });

const search = {
  state: z.enum(states).optional(),
  domain: z.string().max(255).optional().describe("Of the receiving addresses"),
  reply: z.string().max(200).optional().describe("Words of the relay's last reply"),
};

export function addDeliveryRoutes(server: ApiServer, app: App): void {
  const tags = ["editions"];
  const editionOf = ({ date }: { date: string }): Promise<Edition> => {
    const name = parseEditionName(date);
    return getEdition(app.db, name.date, name.number);
  };

  server.get(
    "/editions/:date/deliveries",
    {
      config: { role: "viewer" },
      schema: {
        summary: "The ledger of an edition, page by page",
        tags,
        params: editionParams,
        querystring: z.strictObject({ ...search, after, limit: limit(100) }),
        response: {
          200: z.object({
            deliveries: z.array(deliverySchema),
            next: z.int().nullable().describe("`after` of the next page"),
          }),
          ...problems,
        },
      },
    },
    async ({ params, query }) => {
      const edition = await editionOf(params);
      const deliveries = await listDeliveries(app.db, edition.id, query);
      return { deliveries, next: deliveries.length === query.limit ? deliveries.at(-1)!.id : null };
    },
  );

  server.get(
    "/editions/:date/deliveries/domains",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Deliveries of an edition by receiving domain and state",
        tags,
        params: editionParams,
        querystring: z.strictObject({ limit: limit(20, 100) }),
        response: {
          200: z.object({
            domains: z.array(z.object({ domain: z.string(), state: z.enum(states), count: z.int() })),
          }),
          ...problems,
        },
      },
    },
    async ({ params, query }) => {
      const edition = await editionOf(params);
      return { domains: await countByDomain(app.db, edition.id, query.limit) };
    },
  );

  server.get(
    "/editions/:date/deliveries/export",
    {
      config: { role: "editor" },
      schema: {
        summary: "Export what a search of the ledger finds, as CSV",
        description: "A cell that a spreadsheet would take for a formula begins with an apostrophe.",
        tags,
        params: editionParams,
        querystring: z.strictObject(search),
        response: {
          200: { description: "One line a delivery", content: { "text/csv": { schema: z.string() } } },
          ...problems,
        },
      },
    },
    async ({ params, query }, reply) => {
      const edition = await editionOf(params);
      const name = `deliveries-${editionName(edition)}.csv`;
      return reply
        .type("text/csv; charset=utf-8")
        .header("content-disposition", `attachment; filename="${name}"`)
        .send(Readable.from(deliveriesCsv(findDeliveries(app.db, edition.id, query))) as never);
    },
  );
}

const header = ["id", "state", "address", "domain", "attempts", "articles", "settled_at", "due_at", "reply"];

/** What a spreadsheet would run is guarded (OWASP ASVS 5.0, 1.2.10): a relay's reply is a stranger's text. */
export async function* deliveriesCsv(pages: AsyncIterable<ListedDelivery[]>): AsyncGenerator<string> {
  yield stringify([header]);
  for await (const page of pages) {
    yield stringify(
      page.map((one) => [
        one.id,
        one.state,
        guardCell(one.address ?? ""),
        guardCell(one.domain),
        one.attempts,
        one.articles,
        one.settledAt?.toISOString() ?? "",
        one.dueAt?.toISOString() ?? "",
        guardCell(one.reply ?? ""),
      ]),
    );
  }
}
