import { z } from "zod";
import type { App } from "../../app.ts";
import { addAlias, planUnalias, removeAlias } from "../../articles/tag-alias.ts";
import { setHidden } from "../../articles/tag-hide.ts";
import { listAllTags } from "../../articles/tag-list.ts";
import { mergeTags } from "../../articles/tag-merge.ts";
import { renameTag } from "../../articles/tag-names.ts";
import { unaliasWords } from "../tag-words.ts";
import { flag, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const countedDays = 90;
const name = z.string().max(500);
const merge = z.strictObject({ from: name, into: name });
const alias = z.strictObject({ alias: name, tag: name });
const rename = z.strictObject({
  from: name.describe("The tag's name"),
  to: name.describe("The name it gets; the old one stays as another spelling"),
  revision: z.int().optional().describe("As it was listed; a change that came between is then answered with 409"),
});

const changed = z.boolean().describe("False when it had been done already");
const words = z.string().describe("What it does, as the operators' pages say it before it is done");
const tagSchema = z
  .object({
    name: z.string(),
    aliases: z.array(z.string()).describe("Its other spellings"),
    articles: z.int().describe("Articles that had it in the last 90 days"),
    readers: z.int().describe("Active readers who follow it"),
    hiddenAt: z.date().nullable().describe("null for one that is shown"),
    revision: z.int().describe("Changes with each change of the tag"),
  })
  .meta({ id: "Tag" });
const hideSchema = z.object({
  tag: z.string(),
  changed,
  readers: z.int().describe("Active readers who follow it"),
  onlyThis: z.int().describe("Those of them who follow nothing else that is shown, and get no mail while it is hidden"),
  waiting: z.int().describe("Articles that wait for the next edition and have it"),
  waitingOnly: z
    .int()
    .describe("Those of them without another tag that is shown: they go to readers of all news alone"),
});

export function addTagRoutes(server: ApiServer, app: App): void {
  const tags = ["tags"];
  const config = { role: "editor" } as const;

  server.get(
    "/tags",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List the tags, hidden ones too, with their articles of the last 90 days and their readers",
        tags,
        response: { 200: z.object({ tags: z.array(tagSchema) }), ...problems },
      },
    },
    async () => {
      const since = new Date(app.clock.now().getTime() - countedDays * 24 * 3_600_000);
      return { tags: await listAllTags(app.db, since) };
    },
  );

  server.post(
    "/tags/rename",
    {
      config,
      schema: {
        summary: "Give a tag another name; readers, feeds and links with the old one go along",
        tags,
        body: rename,
        response: { 200: z.object({ name: z.string(), changed }), ...problems },
      },
    },
    async ({ body, actor }) => renameTag(app, { ...body, actor }),
  );

  server.post(
    "/tags/merge",
    { config, schema: { summary: "Make one tag of two", tags, body: merge, response: { 200: merge, ...problems } } },
    async ({ body, actor }) => {
      await mergeTags(app, { ...body, actor });
      return body;
    },
  );

  server.post(
    "/tags/alias",
    {
      config,
      schema: { summary: "Add another spelling of a tag", tags, body: alias, response: { 200: alias, ...problems } },
    },
    async ({ body, actor }) => {
      await addAlias(app, { ...body, actor });
      return body;
    },
  );

  server.delete(
    "/tags/alias",
    {
      config,
      schema: {
        summary: "Take another spelling from a tag; what it brought stays",
        tags,
        querystring: alias.extend({ dryRun: flag.describe("Say what it would do, and change nothing") }),
        response: { 200: z.object({ alias: name, tag: name, changed, words }), ...problems },
      },
    },
    async ({ query, actor }) => {
      const { dryRun, ...given } = query;
      const {
        tag,
        alias: spelling,
        changed: isChange,
      } = dryRun ? await planUnalias(app.db, given.alias, given.tag) : await removeAlias(app, { ...given, actor });
      const told = unaliasWords({ alias: spelling, tag: { name: tag.name, hidden: tag.hidden_at !== null } });
      return { alias: spelling, tag: tag.name, changed: isChange, words: told };
    },
  );

  for (const [act, summary] of [
    ["hide", "Neither offer nor show a tag, from the next edition on; whoever follows it keeps it"],
    ["unhide", "Show a hidden tag again, to whoever followed it as well"],
  ] as const) {
    server.post(
      `/tags/${act}`,
      {
        config,
        schema: { summary, tags, body: z.strictObject({ tag: name }), response: { 200: hideSchema, ...problems } },
      },
      async ({ body, actor }) => setHidden(app, { ...body, hidden: act === "hide", actor }),
    );
  }
}
