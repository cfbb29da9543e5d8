import { z } from "zod";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { writeAudit } from "../../ops/audit.ts";
import { addSubscriber } from "../../subscribers/add.ts";
import { findSubscriber, listSubscribers, unsubscribe, type Subscriber } from "../../subscribers/store.ts";
import { after, id, limit, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

export const statuses = ["pending", "active", "unsubscribed", "suppressed"] as const;

const subscriberSchema = z
  .object({
    id: z.int(),
    address: z.string(),
    status: z.enum(statuses),
    allTags: z.boolean(),
    tags: z.array(z.string()),
    createdAt: z.date(),
    confirmedAt: z.date().nullable(),
    leftAt: z.date().nullable(),
  })
  .meta({ id: "Subscriber" });

const newSubscriber = z.strictObject({
  address: z.string().max(500),
  tags: z.array(z.string()).max(30).default([]),
  allTags: z.boolean().default(false),
  confirmed: z.boolean().default(false).describe("You vouch that this reader asked for it"),
});

export function addSubscriberRoutes(server: ApiServer, app: App): void {
  const { db, clock } = app;
  const tags = ["subscribers"];

  server.get(
    "/subscribers",
    {
      schema: {
        summary: "List subscribers, page by page",
        tags,
        querystring: z.strictObject({ after, limit: limit(100), status: z.enum(statuses).optional() }),
        response: {
          200: z.object({
            subscribers: z.array(subscriberSchema),
            next: z.int().nullable().describe("`after` of the next page"),
          }),
          ...problems,
        },
      },
    },
    async ({ query: { status, ...page } }) => {
      const subscribers = await listSubscribers(db, { ...page, ...(status === undefined ? {} : { status }) });
      return {
        subscribers: subscribers.map(show),
        next: subscribers.length === page.limit ? subscribers.at(-1)!.id : null,
      };
    },
  );

  server.post(
    "/subscribers",
    {
      schema: {
        summary: "Add a subscriber",
        tags,
        body: newSubscriber,
        response: { 201: subscriberSchema, ...problems },
      },
    },
    async (request, reply) => {
      const added = await addSubscriber(app, { ...request.body, actor: request.actor });
      return reply.code(201).send(show(added));
    },
  );

  server.delete(
    "/subscribers/:id",
    { schema: { summary: "Unsubscribe a reader", tags, params: id, response: { 200: subscriberSchema, ...problems } } },
    async ({ params, actor }) => {
      const now = clock.now();
      if (await unsubscribe(db, params.id, now)) {
        await writeAudit(db, { at: now, actor, action: "subscriber unsubscribe", subject: `subscriber ${params.id}` });
      }
      const subscriber = await findSubscriber(db, params.id);
      if (!subscriber)
        throw new Refusal(404, `There is no subscriber ${params.id}: see \`dayletter subscribers list\`.`);
      return show(subscriber);
    },
  );
}

/** Without the key, which opens a reader's links. */
function show({ key: _key, ...subscriber }: Subscriber): z.input<typeof subscriberSchema> {
  return subscriber;
}
