import { sayReason } from "../../texts/catalogue.ts";
import { addSource, changeSource, checkSource, removeSource } from "../../sources/manage-sources.ts";
import { getSource, listSources } from "../../sources/store.ts";
import { sayReadError } from "../../texts/problems.ts";
import { codeOf, showSource, sourceSchema, id, problems } from "./shapes.ts";
import { z } from "zod";
import type { App } from "../../app.ts";
import { feedAddress } from "../../sources/address.ts";
import type { PollResult } from "../../sources/poll.ts";
import type { ApiServer } from "./server.ts";
import { parseTimezone } from "../../base/schedule-values.ts";
import type { SourceOptions } from "../../sources/store.ts";

type AppDeps = Pick<App, "clock" | "log" | "trace" | "db" | "fetch" | "parse">;

export const pollSchema = z.object({
  outcome: z
    .enum(["ingested", "unchanged", "failed", "left"])
    .describe("`left` means that another process is reading the feed"),
  code: z.string().nullable().describe("Why the feed cannot be read"),
  reason: z.string().nullable().describe("The same as a sentence"),
  added: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  problems: z.array(z.string()).describe("Reasons why items were refused"),
});

export const polledSchema = z.object({ source: sourceSchema, poll: pollSchema });
export const changedSourceSchema = z.object({
  source: sourceSchema,
  changed: z.boolean().describe("false if the source was already as requested"),
  poll: pollSchema.nullable().describe("null if the feed was not read"),
});

const options = {
  timezone: z
    .string()
    .nullable()
    .optional()
    .describe("IANA name for dates without a zone; null for the publication's time zone"),
  splitTags: z.boolean().optional().describe("Whether one category holds several tags, separated by commas"),
};

const newSource = z.strictObject({
  url: z.string().max(2_048),
  tags: z.array(z.string()).max(30).default([]),
  rename: z.record(z.string(), z.string()).default({}),
  ...options,
});

const changes = z.strictObject(options);

export function addSourceRoutes(server: ApiServer, app: AppDeps): void {
  const { db } = app;
  const tags = ["sources"];

  server.get(
    "/sources",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List sources",
        tags,
        response: { 200: z.object({ sources: z.array(sourceSchema) }), ...problems },
      },
    },
    async () => ({ sources: (await listSources(db)).map(showSource) }),
  );

  server.post(
    "/sources",
    {
      config: { role: "editor" },
      schema: {
        summary: "Add a feed, and read it",
        tags,
        body: newSource,
        response: { 201: polledSchema, ...problems },
      },
    },
    async (request, reply) => {
      const url = feedAddress(request.body.url);
      const { tags: extra, rename } = request.body;
      const given = { url, tags: extra, rename, actor: request.actor, ...readOptions(request.body) };
      const { source, poll } = await addSource(app, given);
      return reply.code(201).send({ source: showSource(source), poll: showPoll(poll) });
    },
  );

  server.put(
    "/sources/:id",
    {
      config: { role: "editor" },
      schema: {
        summary: "Change how a feed is read, and read it again if anything changed",
        description: "Omitted fields stay the same.",
        tags,
        params: id,
        body: changes,
        response: { 200: changedSourceSchema, ...problems },
      },
    },
    async ({ params, body, actor }) => {
      const source = await getSource(db, params.id);
      const { poll, changed, source: now } = await changeSource(app, { source, actor, ...readOptions(body) });
      return { source: showSource(now), changed, poll: poll && showPoll(poll) };
    },
  );

  server.post(
    "/sources/:id/check",
    {
      config: { role: "editor" },
      schema: { summary: "Read a feed now", tags, params: id, response: { 200: polledSchema, ...problems } },
    },
    async (request) => {
      const source = await getSource(db, request.params.id);
      const poll = await checkSource(app, source, request.actor);
      return { source: showSource(await getSource(db, source.id)), poll: showPoll(poll) };
    },
  );

  server.delete(
    "/sources/:id",
    {
      config: { role: "editor" },
      schema: {
        summary: "Remove a feed, and keep its articles",
        tags,
        params: id,
        response: { 200: sourceSchema, ...problems },
      },
    },
    async (request) => {
      const source = await getSource(db, request.params.id);
      await removeSource(app, source, request.actor);
      return showSource(source);
    },
  );
}

function readOptions({ timezone, splitTags }: z.output<typeof changes>): Partial<SourceOptions> {
  return {
    ...(timezone === undefined ? {} : { timezone: timezone === null ? null : parseTimezone(timezone) }),
    ...(splitTags === undefined ? {} : { splitTags }),
  };
}

function showPoll(poll: PollResult): z.input<typeof pollSchema> {
  const none = { code: null, reason: null, added: 0, updated: 0, unchanged: 0, problems: [] };
  if (poll.kind === "failed")
    return { ...none, outcome: poll.kind, code: codeOf(poll.reason), reason: sayReadError(poll.reason) };
  if (poll.kind !== "ingested") return { ...none, outcome: poll.kind };
  const of = (outcome: string): number => poll.outcomes.filter((one) => one.outcome === outcome).length;
  const counts = { added: of("added"), updated: of("updated"), unchanged: of("unchanged") };
  return { ...none, ...counts, outcome: poll.kind, problems: poll.problems.map((problem) => sayReason(problem)) };
}
