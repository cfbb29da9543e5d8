import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { addAlias, planUnalias, removeAlias } from "../../articles/tag-alias.ts";
import { planHidden, setHidden } from "../../articles/tag-hide.ts";
import { mergeTags, planMerge } from "../../articles/tag-merge.ts";
import { planRename, renameTag } from "../../articles/tag-names.ts";
import { Refusal } from "../../base/errors.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./desk.ts";
import { hideWords, mergeWords, renameWords, shownTag, unaliasWords, unhideWords } from "../tag-texts.ts";
import { operatorTagPath } from "./tag.ts";
import { count } from "./format.ts";

const path = "/operator/tags";

/** Forms to rename, merge and hide tags, each with a confirmation page, and to add and remove spellings. */
export function addTagActs(web: FastifyInstance, app: App, show: Show): void {
  const { db } = app;
  const ask = (title: string) => ({ name: "confirm", title, place: "tags" as const });

  web.get(`${path}/rename`, needs.editor, async (request, reply) => {
    const query = readFields(request.query);
    const { from, to } = { from: query.one("tag"), to: query.one("to") };
    if (to.trim() === "") throw new Refusal(422, "tag_name_missing");
    const { outcome, tag, name, other, reach } = await planRename(db, { from, to });
    if (outcome === "same") return reply.redirect(operatorTagPath(tag.name), 303);
    if (other) return reply.redirect(mergePath(tag.name, name), 303);
    return show(request, reply, ask("Rename tag"), {
      question: `Rename “${tag.name}” to “${name}”?`,
      words: renameWords({ from: tag.name, to: name, spelling: outcome === "spelling" }, reach),
      label: `Rename tag for ${count(reach.readers, "reader")}`,
      post: `${path}/rename`,
      back: operatorTagPath(tag.name),
      hidden: fields({ tag: tag.name, to: name, revision: String(tag.revision) }),
    });
  });

  web.post(`${path}/rename`, needs.editor, async (request, reply) => {
    const given = readFields(request.body);
    const revision = /^\d{1,15}$/.test(given.one("revision")) ? Number(given.one("revision")) : undefined;
    const actor = request.operator.name;
    const { name } = await renameTag(app, { from: given.one("tag"), to: given.one("to"), revision, actor });
    return reply.redirect(operatorTagPath(name, "rename"), 303);
  });

  web.get(`${path}/merge`, needs.editor, async (request, reply) => {
    const query = readFields(request.query);
    const asked = { from: query.one("from"), into: query.one("into") };
    const { from, into, changed, reach } = await planMerge(db, asked);
    if (!changed) return reply.redirect(operatorTagPath(into.name), 303);
    const taken = query.has("instead")
      ? `A tag named “${asked.into}” already exists, so the two tags would be merged. `
      : "";
    return show(request, reply, ask("Merge tags"), {
      question: `Merge “${from.name}” into “${into.name}”?`,
      words: taken + mergeWords({ from: shownTag(from), into: shownTag(into) }, reach),
      label: `Merge tags for ${count(reach.readers, "reader")}`,
      post: `${path}/merge`,
      back: operatorTagPath(from.name),
      hidden: fields({ from: from.name, into: into.name }),
    });
  });

  web.post(`${path}/merge`, needs.editor, async (request, reply) => {
    const given = readFields(request.body);
    const { from, into } = { from: given.one("from"), into: given.one("into") };
    await mergeTags(app, { from, into, actor: request.operator.name });
    return reply.redirect(operatorTagPath(into, "merge"), 303);
  });

  web.post(`${path}/alias`, needs.editor, async (request, reply) => {
    const given = readFields(request.body);
    const { alias, tag } = { alias: given.one("alias"), tag: given.one("tag") };
    if (alias.trim() === "") throw new Refusal(422, "tag_spelling_missing");
    await addAlias(app, { alias, tag, actor: request.operator.name });
    return reply.redirect(operatorTagPath(tag, "alias"), 303);
  });

  web.get(`${path}/unalias`, needs.editor, async (request, reply) => {
    const query = readFields(request.query);
    const { tag, alias, changed } = await planUnalias(db, query.one("alias"), query.one("tag"));
    if (!changed) return reply.redirect(operatorTagPath(tag.name), 303);
    return show(request, reply, ask("Remove spelling"), {
      question: `Remove the spelling “${alias}” from “${tag.name}”?`,
      words: unaliasWords({ alias, tag: shownTag(tag) }),
      label: "Remove spelling",
      post: `${path}/unalias`,
      back: operatorTagPath(tag.name),
      hidden: fields({ alias, tag: tag.name }),
    });
  });

  web.post(`${path}/unalias`, needs.editor, async (request, reply) => {
    const given = readFields(request.body);
    const { alias, tag } = { alias: given.one("alias"), tag: given.one("tag") };
    const removed = await removeAlias(app, { alias, tag, actor: request.operator.name });
    return reply.redirect(operatorTagPath(removed.tag.name, removed.changed ? "unalias" : "unaliased"), 303);
  });

  for (const [act, hidden] of [
    ["hide", true],
    ["unhide", false],
  ] as const) {
    web.get(`${path}/${act}`, needs.editor, async (request, reply) => {
      const asked = readFields(request.query).one("tag");
      const { tag, changed, reach } = await planHidden(db, { tag: asked, hidden });
      if (!changed) return reply.redirect(operatorTagPath(tag.name), 303);
      return show(request, reply, ask(hidden ? "Hide tag" : "Show tag again"), {
        question: hidden ? `Hide “${tag.name}”?` : `Show “${tag.name}” again?`,
        words: hidden ? hideWords(reach) : unhideWords(reach),
        label: `${hidden ? "Hide tag" : "Show tag"} for ${count(reach.readers, "reader")}`,
        post: `${path}/${act}`,
        back: operatorTagPath(tag.name),
        hidden: fields({ tag: tag.name }),
      });
    });

    web.post(`${path}/${act}`, needs.editor, async (request, reply) => {
      const asked = readFields(request.body).one("tag");
      const { tag } = await setHidden(app, { tag: asked, hidden, actor: request.operator.name });
      return reply.redirect(operatorTagPath(tag.name, act), 303);
    });
  }
}

/** The page for a rename to the name of another tag. */
function mergePath(from: string, into: string): string {
  return `${path}/merge?${new URLSearchParams({ from, into, instead: "1" }).toString()}`;
}

function fields(values: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}
