import { askWhy } from "../../editions/explain.ts";
import { editionStates } from "../../editions/state.ts";
import { whyInWords } from "../../texts/editions.ts";
import { outcomeCodes } from "../../ledger/outcome.ts";
import { bounceKinds } from "../../outcomes/bounce-kind.ts";
import { laterOutcomes, outcomeSources } from "../../outcomes/store.ts";
import { addSubscriber, inviteSubscriber } from "../../subscribers/add.ts";
import { findSubscriber, listSubscribers, lookUpReader, type Subscriber } from "../../subscribers/store.ts";
import { z } from "zod";
import type { App } from "../../app.ts";
import { parseTimezone } from "../../base/schedule-values.ts";
import { questionCauses } from "../../db/values.ts";
import { editReader } from "../../subscribers/edit.ts";
import { erase } from "../../subscribers/erase.ts";
import { noSuchReader } from "../../subscribers/preferences.ts";
import { unsubscribeReader } from "../../subscribers/unsubscribe.ts";
import { after, flag, id, limit, problems } from "./shapes.ts";
import type { ApiServer } from "./server.ts";
import { parseEditionName } from "../../base/edition-name.ts";

type AppDeps = Pick<App, "options" | "clock" | "log" | "db" | "wake" | "words" | "mayMail">;

export const statuses = ["pending", "active", "unsubscribed", "suppressed"] as const;

export const subscriberSchema = z
  .object({
    id: z.int(),
    address: z.string(),
    status: z.enum(statuses),
    allTags: z.boolean(),
    tags: z.array(z.string()),
    timezone: z.string().nullable().describe("Time zone for delivery; null for the publication's time zone"),
    pausedUntil: z.date().nullable(),
    pausedSince: z
      .date()
      .nullable()
      .describe("When the reader was paused, because they did not say whether they still want the emails"),
    pausedFor: z
      .enum(questionCauses)
      .nullable()
      .describe("Why they were asked: most of their emails bounced, or they had not changed anything for a long time"),
    createdAt: z.date(),
    confirmedAt: z.date().nullable(),
    leftAt: z.date().nullable(),
  })
  .meta({ id: "Subscriber" });

export const editedSchema = subscriberSchema
  .extend({
    pendingAddress: z.string().nullable().describe("The new address, until its owner confirms it; null without one"),
  })
  .meta({ id: "EditedSubscriber" });

const edit = z
  .strictObject({
    tags: z.array(z.string()).max(1_000).describe("Replaces all tags"),
    allTags: z.boolean(),
    pausedUntil: z
      .union([z.iso.date(), z.iso.datetime({ offset: true })])
      .nullable()
      .describe("When the emails restart: a time, or a date in the publication's time zone; null ends the pause"),
    timezone: z.string().max(100).nullable().describe("IANA name; null for the publication's time zone"),
    address: z
      .string()
      .max(500)
      .describe("New address. It changes when its owner confirms it, and the former address gets a notice then"),
  })
  .partial();

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
      .describe(
        "IANA name of the time zone for delivery; emails are sent at the publication's delivery time in this zone",
      ),
    formUrl: z.string().max(2_000).optional().describe("Your page on which the reader signed up"),
  })
  .refine((body) => !body.confirmed || body.consent !== undefined, {
    path: ["consent"],
    error: "consent_missing",
  });

export function addSubscriberRoutes(server: ApiServer, app: AppDeps): void {
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

  server.patch(
    "/subscribers/:id",
    {
      config: { role: "editor" },
      schema: {
        summary: "Change a reader's tags, pause, time zone or address",
        description: "Omitted fields stay the same. All fields are changed, or none.",
        tags,
        params: id,
        body: edit,
        response: { 200: editedSchema, ...problems },
      },
    },
    async ({ params, body: { pausedUntil: until, ...body }, actor }) => {
      const pausedUntil = typeof until === "string" ? (until.includes("T") ? new Date(until) : { date: until }) : until;
      const { reader, pendingAddress } = await editReader(app, { ...body, pausedUntil, id: params.id, actor });
      return { ...show(reader), pendingAddress };
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
      await unsubscribeReader(app, { id: params.id, actor });
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
  "unanswered",
  "no-tags",
  "no-match",
  "changed-tags",
  "deliveries-removed",
] as const;

const noEditionCodes = ["date-skipped", "no-send-day", "not-due", "before-start", "not-opened"] as const;

export const whySchema = z
  .object({
    subscriber: z.object({ id: z.int(), address: z.string(), status: z.enum(statuses) }),
    date: z.iso.date(),
    code: z
      .enum([...whyCodes, ...noEditionCodes])
      .describe("Code of the first edition of the date, or why there is none"),
    sentence: z.string().describe("The same in words"),
    editions: z.array(
      z.object({
        edition: z.string(),
        state: z.enum(editionStates),
        code: z.enum(whyCodes).describe("State of the delivery, or the first reason why there is none"),
        sentence: z.string(),
        outcome: z
          .object({ code: z.enum(outcomeCodes).nullable(), reply: z.string().nullable() })
          .nullable()
          .describe("Why the delivery has its state: a code, the relay's last reply, or both; null without a delivery"),
        outcomes: z
          .array(
            z.object({
              outcome: z.enum(laterOutcomes),
              kind: z.enum(bounceKinds).nullable().describe("null for a complaint"),
              code: z.string().nullable(),
              text: z.string().nullable(),
              source: z.enum(outcomeSources).describe("How it became known"),
              guess: z.boolean().describe("Whether it was inferred from a text that was written for people"),
              at: z.date(),
            }),
          )
          .describe("Bounces and complaints after the relay had accepted the email"),
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

export function addWhyRoutes(server: ApiServer, app: Pick<App, "options" | "clock" | "db">): void {
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
      const wholeDate = query.date !== undefined && !query.date.includes(".");
      const why = await askWhy(app, params.id, when && (wholeDate ? { date: when.date } : when));
      const { address, status } = why.subscriber;
      const editions = why.editions.map(({ data, timezone, ...one }) => ({
        ...one,
        sentence: whyInWords({ code: one.code, data }, timezone),
        outcome: data.outcome ? { code: data.outcome.code, reply: data.outcome.reply } : null,
        outcomes: [...(data.outcomes ?? [])],
      }));
      return {
        subscriber: { id: why.subscriber.id, address, status },
        date: why.date,
        code: editions[0]?.code ?? why.none!.code,
        sentence: editions[0]?.sentence ?? whyInWords(why.none!, why.timezone),
        editions,
      };
    },
  );
}
