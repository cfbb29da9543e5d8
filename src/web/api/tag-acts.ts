import { z } from "zod";
import type { App } from "../../app.ts";
import { addAlias, planUnalias, removeAlias } from "../../articles/tag-alias.ts";
import { planHidden, setHidden } from "../../articles/tag-hide.ts";
import { mergeTags, planMerge } from "../../articles/tag-merge.ts";
import { planRename, refuseTaken, renameTag } from "../../articles/tag-names.ts";
import { hideWords, mergeWords, renameWords, shownTag, unaliasWords, unhideWords } from "../tag-texts.ts";
import { flag, problems } from "./schemas.ts";
import type { ApiServer } from "./server.ts";

const name = z.string().max(500);
const ask = "Only return what would change";
const dryRun = z.boolean().default(false).describe(ask);
const merge = z.strictObject({ from: name, into: name, dryRun });
const alias = z.strictObject({ alias: name, tag: name });
const hide = z.strictObject({ tag: name, dryRun });
const rename = z.strictObject({
  from: name.describe("Current name of the tag"),
  to: name.describe("New name; the old one becomes another spelling"),
  revision: z.int().optional().describe("Revision that you saw; the response is 409 if the tag has changed since"),
  dryRun,
});

/** What an act answers, and its dry run. */
const told = {
  changed: z.boolean().describe("false if nothing had to be changed"),
  words: z.string().describe("What the change does, as shown on the operators' page before it is confirmed"),
};
const hideSchema = z.object({
  tag: z.string(),
  readers: z.int().describe("Active readers who follow it"),
  onlyThis: z.int().describe("Readers who follow no other visible tag, and get no emails while it is hidden"),
  waiting: z.int().describe("Articles with this tag that wait for the next edition"),
  waitingOnly: z.int().describe("Waiting articles without another visible tag, which only readers of all news get"),
  ...told,
});

/** Renaming, merging, hiding a tag and its spellings. A dry run says what the operators' page says before it is done. */
export function addTagActs(server: ApiServer, app: App): void {
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
        response: { 200: z.object({ name: z.string(), ...told }), ...problems },
      },
    },
    async ({ body, actor }) => {
      const plan = body.dryRun ? await planRename(app.db, body) : await renameTag(app, { ...body, actor });
      refuseTaken(plan);
      const names = { from: plan.tag.name, to: plan.name, spelling: plan.outcome === "spelling" };
      return { name: plan.name, ...tell(plan, renameWords(names, plan.reach)) };
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
        response: { 200: z.object({ from: z.string(), into: z.string(), ...told }), ...problems },
      },
    },
    async ({ body, actor }) => {
      const plan = body.dryRun ? await planMerge(app.db, body) : await mergeTags(app, { ...body, actor });
      const { from, into, reach } = plan;
      const words = mergeWords({ from: shownTag(from), into: shownTag(into) }, reach);
      return { from: plan.changed ? from.name : body.from, into: into.name, ...tell(plan, words) };
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
        summary: "Remove another spelling of a tag; articles and readers keep the tag",
        tags,
        querystring: alias.extend({ dryRun: flag.describe(ask) }),
        response: { 200: z.object({ alias: name, tag: name, ...told }), ...problems },
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
        ...tell(plan, unaliasWords({ alias: spelling, tag: shownTag(tag) })),
      };
    },
  );

  for (const [act, hidden, summary] of [
    ["hide", true, "Stop offering and showing a tag, from the next edition on; its readers keep it"],
    ["unhide", false, "Show a hidden tag again; readers who follow it get its articles again"],
  ] as const) {
    server.post(
      `/tags/${act}`,
      { config, schema: { summary, tags, body: hide, response: { 200: hideSchema, ...problems } } },
      async ({ body, actor }) => {
        const given = { tag: body.tag, hidden };
        const plan = body.dryRun ? await planHidden(app.db, given) : await setHidden(app, { ...given, actor });
        const { tag, reach } = plan;
        return { tag: tag.name, ...reach, ...tell(plan, hidden ? hideWords(reach) : unhideWords(reach)) };
      },
    );
  }
}

function tell({ changed }: { changed: boolean }, words: string): { changed: boolean; words: string } {
  return { changed, words: changed ? words : "It is so already: nothing changes." };
}
