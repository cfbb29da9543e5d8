import { z } from "zod";
import type { App } from "../../app.ts";
import { listDeliveries } from "../../deliveries/store.ts";
import { getEdition } from "../../editions/store.ts";
import { parseEditionName } from "../edition-name.ts";
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
    attempts: z.int(),
    articles: z.int(),
    reply: z.string().nullable().describe("What the relay said last, or why it was skipped"),
    dueAt: z.date().nullable(),
    settledAt: z.date().nullable(),
  })
  .meta({ id: "Delivery" });

export function addDeliveryRoutes(server: ApiServer, app: App): void {
  server.get(
    "/editions/:date/deliveries",
    {
      schema: {
        summary: "The ledger of an edition, page by page",
        tags: ["editions"],
        params: editionParams,
        querystring: z.strictObject({ state: z.enum(states).optional(), after, limit: limit(100) }),
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
      const { date, number } = parseEditionName(params.date);
      const edition = await getEdition(app.db, date, number);
      const deliveries = await listDeliveries(app.db, edition.id, query);
      return { deliveries, next: deliveries.length === query.limit ? deliveries.at(-1)!.id : null };
    },
  );
}
