import { findTag, listAllTags, tagReach } from "../../articles/tag-store.ts";
import {
  addAlias,
  mergeTags,
  planHidden,
  planMerge,
  planRename,
  planUnalias,
  removeAlias,
  renameTag,
  setHidden,
} from "../../articles/change-tags.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../../app.ts";
import { cleanTag, searchKey } from "../../articles/tags.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./dashboard.ts";
import { number, shortMoment } from "./format.ts";
import { englishWording, englishOf, sayFailure, type MessageKey } from "../../texts/catalogue.ts";
import type { Clock } from "../../base/clock.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { tagPath, tagQuery } from "../tag-query.ts";
import { Refusal } from "../../base/errors.ts";
import {
  effectText,
  hideEffects,
  mergeEffects,
  renameEffects,
  shownTag,
  unaliasEffects,
  unhideEffects,
} from "../tag-texts.ts";

const { say } = englishWording();

const listed = 200;

/** `/operator/tags`: all tags with their articles and readers. */
export function addTagsPage(web: FastifyInstance, app: Pick<App, "config" | "clock" | "db">, show: Show): void {
  web.get("/operator/tags", needs.viewer, async (request, reply) => {
    const query = readFields(request.query);
    const wanted = searchKey(cleanTag(query.one("q")) ?? "");
    const tags = await listAllTags(app.db, countedSince(app.clock));
    const found = tags
      .filter((tag) => [tag.name, ...tag.aliases].some((name) => searchKey(name).includes(wanted)))
      .toSorted((a, b) => b.articles - a.articles || b.readers - a.readers);
    return show(
      request,
      reply,
      { name: "tags", title: say("title.tags"), place: "tags" },
      {
        query: query.one("q").slice(0, 100),
        total: say("count.tags", { n: tags.length }),
        more: found.length > listed ? number(found.length - listed) : null,
        tags: found.slice(0, listed).map((tag) => ({
          name: tag.name,
          path: operatorTagPath(tag.name),
          hidden: tag.hiddenAt !== null,
          aliases: tag.aliases.join(", "),
          articles: number(tag.articles),
          readers: number(tag.readers),
        })),
      },
    );
  });

  addTagActs(web, app, show, addTagPage(web, app, show));
}

const onePath = "/operator/tags/one";
const countedDays = 90;

const done = {
  rename: "tag.renamed",
  spelling: "tag.respelled",
  merge: "tag.merged",
  alias: "tag.alias_added",
  unalias: "tag.alias_removed",
  unaliased: "tag.alias_missing",
  hide: "tag.hidden_done",
  unhide: "tag.shown_done",
} as const satisfies Record<string, MessageKey>;

/** The page of one tag for operators. @param what what was done */
function operatorTagPath(name: string, what?: keyof typeof done): string {
  return onePath + tagQuery([name], what === undefined ? {} : { done: what });
}

/** The start of the period for article counts. */
function countedSince(clock: Clock): Date {
  return new Date(clock.now().getTime() - countedDays * 24 * 3_600_000);
}

/** `/operator/tags/one?tag=…`: a tag, its readers and articles, and its actions. */
function addTagPage(web: FastifyInstance, app: Pick<App, "config" | "clock" | "db">, show: Show): ShowTag {
  const { db, clock } = app;

  web.get(onePath, needs.viewer, (request, reply) =>
    showTag(request, reply, { tag: readFields(request.query).one("tag"), wrong: null }),
  );

  return showTag;

  async function showTag(request: FastifyRequest, reply: FastifyReply, answer: TagAnswer): Promise<FastifyReply> {
    const { id } = await findTag(db, answer.tag);
    const { wrong } = answer;
    const [tags, reach, { timezone }] = await Promise.all([
      listAllTags(db, countedSince(clock)),
      tagReach(db, id),
      loadSchedule(db),
    ]);
    const tag = tags.find((one) => one.id === id)!;
    const typed = (form: TagForm): { value: string | null; wrong: string | null } =>
      wrong?.form === form ? { value: wrong.value, wrong: wrong.sentence } : { value: null, wrong: null };
    return show(
      request,
      wrong ? reply.code(wrong.status) : reply,
      { name: "tag", title: tag.name, place: "tags" },
      {
        notice: wrong ? null : doneText(readFields(request.query).one("done")),
        typed: { rename: typed("rename"), alias: typed("alias"), merge: typed("merge") },
        tag: {
          name: tag.name,
          path: tagPath(tag.name),
          query: tagQuery([tag.name]),
          hidden: tag.hiddenAt && shortMoment(tag.hiddenAt, timezone, englishOf(app.config.language)),
          aliases: tag.aliases.map((alias) => ({
            name: alias,
            remove: `/operator/tags/unalias${tagQuery([tag.name], { alias })}`,
          })),
          facts: [
            say("tag.fact_articles", { n: tag.articles }),
            say("tag.fact_waiting", { n: reach.waiting }),
            say("count.readers", { n: reach.readers }),
            ...(reach.onlyThis === 0 ? [] : [say("tag.fact_only", { n: reach.onlyThis })]),
          ],
        },
        names: tags.filter((one) => one.id !== id).map(({ name }) => name),
      },
    );
  }
}

/** The forms on the page of a tag. */
type TagForm = "rename" | "alias" | "merge";

interface TagAnswer {
  tag: string;
  /** The refused form with its input. */
  wrong: { form: TagForm; value: string; sentence: string; status: number } | null;
}

type ShowTag = (request: FastifyRequest, reply: FastifyReply, answer: TagAnswer) => Promise<FastifyReply>;

function doneText(what: string): string | null {
  return Object.hasOwn(done, what) ? say(done[what as keyof typeof done]) : null;
}

const path = "/operator/tags";

/** Forms to rename, merge and hide tags, each with a confirmation page, and to add and remove spellings. */
function addTagActs(web: FastifyInstance, app: Pick<App, "clock" | "db">, show: Show, showTag: ShowTag): void {
  const { db } = app;
  /** Handles a form of the tag's page. A refusal shows the page again with the input. */
  const keep = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { tag, ...form }: { tag: string; form: TagForm; value: string },
    work: () => Promise<FastifyReply>,
  ): Promise<FastifyReply> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal) || ![404, 409, 422].includes(error.status)) throw error;
      const wrong = { ...form, sentence: sayFailure(error), status: error.status };
      // Without the tag itself, there is no page for the form.
      return showTag(request, reply, { tag, wrong }).catch(() => Promise.reject(error));
    }
  };
  const ask = (title: string) => ({ name: "confirm", title, place: "tags" as const });

  web.get(`${path}/rename`, needs.editor, async (request, reply) => {
    const query = readFields(request.query);
    const { from, to } = { from: query.one("tag"), to: query.one("to") };
    return keep(request, reply, { tag: from, form: "rename", value: to }, async () => {
      if (to.trim() === "") throw new Refusal(422, "tag_name_missing");
      const { outcome, tag, name, other, reach } = await planRename(db, { from, to });
      if (outcome === "same") return reply.redirect(operatorTagPath(tag.name), 303);
      if (other) return reply.redirect(mergePath(tag.name, name), 303);
      return show(request, reply, ask(say("tag.rename")), {
        question: say("tag.rename_question", { from: tag.name, to: name }),
        effect: effectText(renameEffects({ from: tag.name, to: name, spelling: outcome === "spelling" }, reach)),
        label: say("tag.rename_label", { n: reach.readers }),
        post: `${path}/rename`,
        back: operatorTagPath(tag.name),
        hidden: fields({ tag: tag.name, to: name, revision: String(tag.revision) }),
      });
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
    return keep(request, reply, { tag: asked.from, form: "merge", value: asked.into }, async () => {
      const { from, into, changed, reach } = await planMerge(db, asked);
      if (!changed) return reply.redirect(operatorTagPath(into.name), 303);
      const instead = query.has("instead") ? `${say("tag.merge_instead", { name: asked.into })} ` : "";
      return show(request, reply, ask(say("tag.merge")), {
        question: say("tag.merge_question", { from: from.name, into: into.name }),
        effect: instead + effectText(mergeEffects({ from: shownTag(from), into: shownTag(into) }, reach)),
        label: say("tag.merge_label", { n: reach.readers }),
        post: `${path}/merge`,
        back: operatorTagPath(from.name),
        hidden: fields({ from: from.name, into: into.name }),
      });
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
    return keep(request, reply, { tag, form: "alias", value: alias }, async () => {
      if (alias.trim() === "") throw new Refusal(422, "tag_spelling_missing");
      await addAlias(app, { alias, tag, actor: request.operator.name });
      return await reply.redirect(operatorTagPath(tag, "alias"), 303);
    });
  });

  web.get(`${path}/unalias`, needs.editor, async (request, reply) => {
    const query = readFields(request.query);
    const { tag, alias, changed } = await planUnalias(db, query.one("alias"), query.one("tag"));
    if (!changed) return reply.redirect(operatorTagPath(tag.name), 303);
    return show(request, reply, ask(say("tag.remove_spelling")), {
      question: say("tag.remove_spelling_question", { alias, tag: tag.name }),
      effect: effectText(unaliasEffects({ alias, tag: shownTag(tag) })),
      label: say("tag.remove_spelling"),
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
      return show(request, reply, ask(say(hidden ? "tag.hide" : "tag.unhide")), {
        question: say(hidden ? "tag.hide_question" : "tag.unhide_question", { tag: tag.name }),
        effect: effectText(hidden ? hideEffects(reach) : unhideEffects(reach)),
        label: say(hidden ? "tag.hide_label" : "tag.unhide_label", { n: reach.readers }),
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
