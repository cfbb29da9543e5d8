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
    timezone: z.string().nullable().describe("Delivery time zone; null is the publication's"),
    pausedUntil: z.date().nullable(),
    createdAt: z.date(),
    confirmedAt: z.date().nullable(),
    leftAt: z.date().nullable(),
  })
  .meta({ id: "Subscriber" });

const consentSchema = z.strictObject({
  method: z.string().min(1).max(200).describe("How the reader agreed, such as `double opt-in at shop.example`"),
  wording: z.string().max(2_000).optional().describe("The sentence they agreed to"),
  at: z.iso.datetime({ offset: true }).optional().describe("When; now, if not given"),
});

const newSubscriber = z
  .strictObject({
    address: z.string().max(500),
    tags: z.array(z.string()).max(30).default([]),
    allTags: z.boolean().default(false),
    confirmed: z
      .boolean()
      .default(false)
      .describe("You have this reader's consent, and give it as `consent`; else their mailbox is asked to confirm"),
    consent: consentSchema.optional(),
    timezone: z
      .string()
      .max(100)
      .optional()
      .describe("IANA name; the publication's hour in it is when their mail leaves"),
    formUrl: z.string().max(2_000).optional().describe("Your page on which the reader asked"),
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

  server.get(
    "/subscribers/:id",
    {
      config: { role: "viewer" },
      schema: {
        summary: "Show one subscriber",
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
        summary: "Find the subscriber with an address",
        description: "A POST, so that the address is in no URL. Of an address that nobody has, it says why not.",
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
        summary: "Add a subscriber, or ask their mailbox to confirm",
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
        summary: "Unsubscribe a reader, or erase all that is held about them",
        tags,
        params: id,
        querystring: z.strictObject({
          erase: flag.describe(
            "Erase: only a keyed hash of the address is left, by which no old list brings them back",
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

/** Without the key, which opens a reader's links. */
function show({ key: _key, ...subscriber }: Subscriber): z.input<typeof subscriberSchema> {
  return subscriber;
}
