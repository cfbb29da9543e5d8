import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { addAlias, existingTags, listTags, mergeTags } from "../../articles/tag-store.ts";
import { cleanTag, tagKey } from "../../articles/tags.ts";
import { writeAudit } from "../../ops/audit.ts";
import { countFollowers } from "../../subscribers/followers.ts";
import { readFields } from "../pages/fields.ts";
import { tagPath } from "../tag-query.ts";
import { needs, type Show } from "./desk.ts";
import { count, number } from "./words.ts";

const path = "/operator/tags";
const countedDays = 90;
const listed = 200;

/** `/operator/tags`: which tags there are, how much they are used and followed, and making one of two. */
export function addTagsPage(web: FastifyInstance, app: App, show: Show): void {
  const { db, clock } = app;

  web.get(path, needs.viewer, async (request, reply) => {
    const query = readFields(request.query);
    const wanted = tagKey(cleanTag(query.one("q")) ?? "");
    const since = new Date(clock.now().getTime() - countedDays * 24 * 3_600_000);
    const [tags, followers] = await Promise.all([listTags(db, since), countFollowers(db)]);
    const aliases = await db.selectFrom("tag_aliases").select(["name", "tag_id"]).orderBy("key").execute();
    const found = tags
      .map((tag) => ({
        ...tag,
        followers: followers.get(tag.id) ?? 0,
        aliases: aliases.filter((one) => one.tag_id === tag.id).map((one) => one.name),
      }))
      .filter((tag) => [tag.name, ...tag.aliases].some((name) => tagKey(name).includes(wanted)))
      .toSorted((a, b) => b.articles - a.articles || b.followers - a.followers);
    return show(
      request,
      reply,
      { name: "tags", title: "Tags", place: "tags" },
      {
        notice: doneWords(query.one("done")),
        query: query.one("q").slice(0, 100),
        total: count(tags.length, "tag"),
        more: found.length > listed ? number(found.length - listed) : null,
        tags: found.slice(0, listed).map((tag) => ({
          name: tag.name,
          path: tagPath(tag.name),
          aliases: tag.aliases.join(", "),
          articles: number(tag.articles),
          followers: number(tag.followers),
        })),
        names: tags.map((tag) => tag.name),
      },
    );
  });

  web.get(`${path}/merge`, needs.editor, async (request, reply) => {
    const query = readFields(request.query);
    const { from, into } = { from: query.one("from"), into: query.one("into") };
    const [fromId] = await existingTags(db, [from]);
    await existingTags(db, [into]);
    const readers = count((await countFollowers(db)).get(fromId!) ?? 0, "reader");
    return show(
      request,
      reply,
      { name: "confirm", title: "Merge two tags", place: "tags" },
      {
        question: `Make “${from}” part of “${into}”?`,
        words: `${readers} of “${from}” follow “${into}” from then on, and articles with either tag count as one. “${from}” stays as another spelling. It cannot be taken apart again.`,
        label: `Merge, for ${readers}`,
        post: `${path}/merge`,
        back: path,
        hidden: [
          { name: "from", value: from },
          { name: "into", value: into },
        ],
      },
    );
  });

  web.post(`${path}/merge`, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const detail = { from: fields.one("from"), into: fields.one("into") };
    await mergeTags(db, detail.from, detail.into);
    const actor = request.operator.name;
    await writeAudit(db, { at: clock.now(), actor, action: "tag merge", subject: detail.from, detail });
    return reply.redirect(`${path}?done=merge`, 303);
  });

  web.post(`${path}/alias`, needs.editor, async (request, reply) => {
    const fields = readFields(request.body);
    const detail = { alias: fields.one("alias"), tag: fields.one("tag") };
    if (detail.alias.trim() === "") throw new Refusal(422, "Enter the other spelling.");
    await addAlias(db, detail.alias, detail.tag);
    const actor = request.operator.name;
    await writeAudit(db, { at: clock.now(), actor, action: "tag alias", subject: detail.tag, detail });
    return reply.redirect(`${path}?done=alias`, 303);
  });
}

function doneWords(done: string): string | null {
  if (done === "merge") return "Merged: the two are one tag now.";
  if (done === "alias") return "Both spellings are one tag now.";
  return null;
}
