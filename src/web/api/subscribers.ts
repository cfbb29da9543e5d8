import { z } from "zod";
import type { App } from "../../app.ts";
import { writeAudit } from "../../audit/audit.ts";
import { parseTimezone } from "../../base/schedule-values.ts";
import { addSubscriber } from "../../subscribers/add.ts";
import { erase } from "../../subscribers/erase.ts";
import { lookUpReader } from "../../subscribers/find.ts";
import { inviteSubscriber } from "../../subscribers/invite.ts";
import { noSuchReader } from "../../subscribers/preferences.ts";
import { findSubscriber, listSubscribers, type Subscriber } from "../../subscribers/store.ts";
import { unsubscribe } from "../../subscribers/leave.ts";
import { after, flag, id, limit, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

export const statuses = ["pending", "active", "unsubscribed", "suppressed"] as const;

const subscriberSchema = z
  .object({
    id: z.int(),
    address: z.string(),
    status: z.enum(statuses),
    allTags: z.boolean(),
    tags: z.array(z.string()),
    timezone: z.string().nullable().describe("Time zone for delivery; null for the publication's time zone"),
    pausedUntil: z.date().nullable(),
    createdAt: z.date(),
    confirmedAt: z.date().nullable(),
    leftAt: z.date().nullable(),
  })
  .meta({ id: "Subscriber" });

const consentSchema = z.strictObject({
  method: z.string().min(1).max(200).describe("How the reader agreed, for example `double opt-in at shop.example`"),
  wording: z.string().max(2_000).optional().describe("The text that the reader agreed to"),
  at: z.iso.datetime({ offset: true }).optional().describe("When the reader agreed; the current time if omitted"),
});

const newSubscriber = z
  .strictObject({
    address: z.string().max(500),
    tags: z.array(z.string()).max(30).default([]),
    allTags: z.boolean().default(false),
    confirmed: z
      .boolean()
      .default(false)
      .describe(
        "true if the reader has already agreed, which requires `consent`; otherwise, an email asks them to confirm",
      ),
    consent: consentSchema.optional(),
    timezone: z
      .string()
      .max(100)
      .optional()
      .describe("IANA name of the time zone for delivery; emails are sent at the publication's time in it"),
    formUrl: z.string().max(2_000).optional().describe("Your page on which the reader signed up"),
  })
  .refine((body) => !body.confirmed || body.consent !== undefined, {
    path: ["consent"],
    error: "how and when the reader agreed (method, wording, at), since `confirmed` is set",
  });

export function addSubscriberRoutes(server: ApiServer, app: App): void {
  const { db, clock } = app;
  const tags = ["subscribers"];

  server.get(
    "/subscribers",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List subscribers in pages",
        tags,
        querystring: z.strictObject({ after, limit: limit(100), status: z.enum(statuses).optional() }),
        response: {
          200: z.object({
            subscribers: z.array(subscriberSchema),
            next: z.int().nullable().describe("Value of `after` for the next page"),
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

  server.get(
    "/subscribers/:id",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Get a subscriber",
        tags,
        params: id,
        response: { 200: subscriberSchema, ...problems },
      },
    },
    async ({ params }) => show((await findSubscriber(db, params.id)) ?? refuseUnknown(params.id)),
  );

  server.post(
    "/subscribers/lookup",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Find a subscriber by address",
        description:
          "Uses POST so that URLs contain no addresses. If there is no such subscriber, the response says why.",
        tags,
        body: z.strictObject({ address: z.string().max(500) }),
        response: { 200: subscriberSchema, ...problems },
      },
    },
    async ({ body }) => show(await lookUpReader(app, body.address)),
  );

  server.post(
    "/subscribers",
    {
      config: { role: "editor" },
      schema: {
        summary: "Add a subscriber, or ask them to confirm by email",
        tags,
        body: newSubscriber,
        response: { 201: subscriberSchema, ...problems },
      },
    },
    async ({ body, actor }, reply) => {
      const { confirmed, consent, formUrl = null, timezone: zone, ...who } = body;
      const timezone = zone === undefined ? null : parseTimezone(zone);
      if (!confirmed) {
        const invited = await inviteSubscriber(app, { ...who, timezone, formUrl, actor });
        return reply.code(201).send(show(invited));
      }
      const { method, wording = null, at } = consent!;
      const record = { method, wording, at: at === undefined ? clock.now() : new Date(at), formUrl };
      const added = await addSubscriber(app, { ...who, confirmed, consent: record, timezone, actor });
      return reply.code(201).send(show(added));
    },
  );

  server.delete(
    "/subscribers/:id",
    {
      config: { role: "editor" },
      schema: {
        summary: "Unsubscribe a reader, or delete all data about them",
        tags,
        params: id,
        querystring: z.strictObject({
          erase: flag.describe(
            "Delete all data. Only a keyed hash of the address is kept, so that an import cannot add the reader again",
          ),
        }),
        response: { 200: subscriberSchema, 204: z.null().describe("Erased"), ...problems },
      },
    },
    async ({ params, query, actor }, reply) => {
      if (query.erase) {
        await erase(app, params.id, actor);
        return reply.code(204).send(null);
      }
      const now = clock.now();
      if (await unsubscribe(db, params.id, now)) {
        await writeAudit(db, { at: now, actor, action: "subscriber unsubscribe", subject: `subscriber ${params.id}` });
      }
      return reply.send(show((await findSubscriber(db, params.id)) ?? refuseUnknown(params.id)));
    },
  );
}

function refuseUnknown(subscriberId: number): never {
  throw noSuchReader(subscriberId);
}

/** Omits the key, which gives access to the reader's links. */
function show({ key: _key, ...subscriber }: Subscriber): z.input<typeof subscriberSchema> {
  return subscriber;
}
