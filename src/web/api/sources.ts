import { z } from "zod";
import type { App } from "../../app.ts";
import { wrongValue } from "../../base/errors.ts";
import { maskUrl } from "../../config/mask.ts";
import { addSource } from "../../sources/add.ts";
import { checkSource } from "../../sources/check.ts";
import type { PollResult } from "../../sources/poll.ts";
import { removeSource } from "../../sources/remove.ts";
import { getSource, listSources } from "../../sources/store.ts";
import { id, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";
import { showSource, sourceSchema } from "./shapes.ts";

const pollSchema = z.object({
  outcome: z
    .enum(["ingested", "unchanged", "failed", "left"])
    .describe("`left` means that another process is reading the feed"),
  reason: z.string().nullable(),
  added: z.int(),
  updated: z.int(),
  unchanged: z.int(),
  problems: z.array(z.string()).describe("Reasons why items were refused"),
});

const polledSchema = z.object({ source: sourceSchema, poll: pollSchema });

const newSource = z.strictObject({
  url: z.string().max(2_048),
  tags: z.array(z.string()).max(30).default([]),
  rename: z.record(z.string(), z.string()).default({}),
});

export function addSourceRoutes(server: ApiServer, app: App): void {
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
      const { source, poll } = await addSource(app, { ...request.body, url, actor: request.actor });
      return reply.code(201).send({ source: showSource(source), poll: showPoll(poll) });
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

function feedAddress(raw: string): string {
  const url = raw.trim();
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw wrongValue(maskUrl(url), "the address of a feed; expected one that begins with https:// or http://");
}

function showPoll(poll: PollResult): z.input<typeof pollSchema> {
  const none = { reason: null, added: 0, updated: 0, unchanged: 0, problems: [] };
  if (poll.kind === "failed") return { ...none, outcome: poll.kind, reason: poll.reason };
  if (poll.kind !== "ingested") return { ...none, outcome: poll.kind };
  const of = (outcome: string): number => poll.outcomes.filter((one) => one.outcome === outcome).length;
  const counts = { added: of("added"), updated: of("updated"), unchanged: of("unchanged") };
  return { ...none, ...counts, outcome: poll.kind, problems: poll.problems };
}
