import {
  addAlias,
  mergeTags,
  planHidden,
  planMerge,
  planRename,
  planUnalias,
  refuseTaken,
  removeAlias,
  renameTag,
  setHidden,
} from "../../articles/change-tags.ts";
import {
  shownTag,
  effectText,
  hideEffects,
  mergeEffects,
  renameEffects,
  unaliasEffects,
  unhideEffects,
  type Effect,
} from "../tag-texts.ts";
import { listAllTags } from "../../articles/tag-store.ts";
import { z } from "zod";
import type { App } from "../../app.ts";
import { problems, flag } from "./shapes.ts";
import type { ApiServer } from "./server.ts";
import { englishWording } from "../../texts/catalogue.ts";

const countedDays = 90;

export const tagSchema = z
  .object({
    name: z.string(),
    aliases: z.array(z.string()).describe("Its aliases"),
    articles: z.int().describe("Articles with this tag in the last 90 days"),
    readers: z.int().describe("Active readers who follow it"),
    hiddenAt: z.date().nullable().describe("null if the tag is not hidden"),
    revision: z.int().describe("Changes each time the tag changes"),
  })
  .meta({ id: "Tag" });

export function addTagRoutes(server: ApiServer, app: Pick<App, "clock" | "db">): void {
  server.get(
    "/tags",
    {
      config: { role: "viewer" },
      schema: {
        summary: "List all tags, with their readers and their articles of the last 90 days",
        tags: ["tags"],
        response: { 200: z.object({ tags: z.array(tagSchema) }), ...problems },
      },
    },
    async () => {
      const since = new Date(app.clock.now().getTime() - countedDays * 24 * 3_600_000);
      return { tags: await listAllTags(app.db, since) };
    },
  );

  addTagActs(server, app);
}

const name = z.string().max(500);
const dryRun = z.boolean().default(false).describe("Only return what would change");
const merge = z.strictObject({ from: name, into: name, dryRun });
const alias = z.strictObject({ alias: name, tag: name });
const hide = z.strictObject({ tag: name, dryRun });
const rename = z.strictObject({
  from: name.describe("Current name of the tag"),
  to: name.describe("New name; the old one becomes an alias"),
  revision: z.int().optional().describe("Revision that you saw; the response is 409 if the tag has changed since"),
  dryRun,
});

/** What a change and its dry run answer. */
export const tagActFields = {
  changed: z.boolean().describe("false if nothing had to be changed"),
  effect: z.string().describe("What the change does, as the dashboard shows it before it is confirmed"),
};
export const tagHiddenSchema = z.object({
  tag: z.string(),
  readers: z.int().describe("Active readers who follow it"),
  onlyThis: z.int().describe("Readers who follow no other visible tag, and get no emails while it is hidden"),
  waiting: z.int().describe("Articles with this tag that are waiting for the next edition"),
  waitingOnly: z.int().describe("Waiting articles without another visible tag, which only readers of all news get"),
  ...tagActFields,
});

/** Renames, merges and hides tags, and changes their spellings. A dry run answers the same without changing anything. */
function addTagActs(server: ApiServer, app: Pick<App, "clock" | "db">): void {
  const tags = ["tags"];
  const config = { role: "editor" } as const;

  server.post(
    "/tags/rename",
    {
      config,
      schema: {
        summary: "Rename a tag for readers, feeds and links",
        tags,
        body: rename,
        response: { 200: z.object({ name: z.string(), ...tagActFields }), ...problems },
      },
    },
    async ({ body, actor }) => {
      const plan = body.dryRun ? await planRename(app.db, body) : await renameTag(app, { ...body, actor });
      refuseTaken(plan);
      const names = { from: plan.tag.name, to: plan.name, spelling: plan.outcome === "spelling" };
      return { name: plan.name, ...outcome(plan, renameEffects(names, plan.reach)) };
    },
  );

  server.post(
    "/tags/merge",
    {
      config,
      schema: {
        summary: "Merge a tag into another one, which cannot be undone",
        tags,
        body: merge,
        response: { 200: z.object({ from: z.string(), into: z.string(), ...tagActFields }), ...problems },
      },
    },
    async ({ body, actor }) => {
      const plan = body.dryRun ? await planMerge(app.db, body) : await mergeTags(app, { ...body, actor });
      const { from, into, reach } = plan;
      const effects = mergeEffects({ from: shownTag(from), into: shownTag(into) }, reach);
      return { from: plan.changed ? from.name : body.from, into: into.name, ...outcome(plan, effects) };
    },
  );

  server.post(
    "/tags/alias",
    {
      config,
      schema: { summary: "Add an alias of a tag", tags, body: alias, response: { 200: alias, ...problems } },
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
        summary: "Remove an alias of a tag; articles and readers keep the tag",
        tags,
        querystring: alias.extend({ dryRun: flag.describe("Only return what would change") }),
        response: { 200: z.object({ alias: name, tag: name, ...tagActFields }), ...problems },
      },
    },
    async ({ query, actor }) => {
      const plan = query.dryRun
        ? await planUnalias(app.db, query.alias, query.tag)
        : await removeAlias(app, { ...query, actor });
      const { alias: spelling, tag } = plan;
      return {
        alias: spelling,
        tag: tag.name,
        ...outcome(plan, unaliasEffects({ alias: spelling, tag: shownTag(tag) })),
      };
    },
  );

  for (const { act, hidden, summary } of [
    {
      act: "hide",
      hidden: true,
      summary: "Stop offering and showing a tag, from the next edition on; its readers keep it",
    },
    { act: "unhide", hidden: false, summary: "Show a hidden tag again; readers who follow it get its articles again" },
  ]) {
    server.post(
      `/tags/${act}`,
      { config, schema: { summary, tags, body: hide, response: { 200: tagHiddenSchema, ...problems } } },
      async ({ body, actor }) => {
        const given = { tag: body.tag, hidden };
        const plan = body.dryRun ? await planHidden(app.db, given) : await setHidden(app, { ...given, actor });
        const { tag, reach } = plan;
        return { tag: tag.name, ...reach, ...outcome(plan, hidden ? hideEffects(reach) : unhideEffects(reach)) };
      },
    );
  }
}

function outcome({ changed }: { changed: boolean }, effects: readonly Effect[]): { changed: boolean; effect: string } {
  return { changed, effect: changed ? effectText(effects) : englishWording().say("effect.none") };
}
