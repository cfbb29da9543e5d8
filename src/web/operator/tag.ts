import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { findTag } from "../../articles/tag-find.ts";
import { listAllTags } from "../../articles/tag-list.ts";
import { tagReach } from "../../articles/tag-reach.ts";
import type { Clock } from "../../base/clock.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { readFields } from "../pages/fields.ts";
import { tagPath, tagQuery } from "../tag-query.ts";
import { englishOf } from "../../wording/catalogue.ts";
import { needs, type Show } from "./desk.ts";
import { count, number, shortMoment } from "./format.ts";

const path = "/operator/tags/one";
const countedDays = 90;

const doneWords: Record<string, string> = {
  rename: "Tag renamed. The old name still works.",
  spelling: "Tag renamed.",
  merge: "Tags merged.",
  alias: "Spelling added.",
  unalias: "Spelling removed.",
  unaliased: "No change. This spelling was already removed.",
  hide: "Tag hidden. Readers no longer see it.",
  unhide: "Tag shown again. Readers who followed it before still do.",
};

/** The page of one tag for operators. @param done a key of `doneWords` */
export function operatorTagPath(name: string, done?: string): string {
  return path + tagQuery([name], done === undefined ? {} : { done });
}

/** The start of the period for article counts. */
export function countedSince(clock: Clock): Date {
  return new Date(clock.now().getTime() - countedDays * 24 * 3_600_000);
}

/** `/operator/tags/one?tag=…`: a tag, its readers and articles, and its actions. */
export function addTagDesk(web: FastifyInstance, app: App, show: Show): void {
  const { db, clock } = app;

  web.get(path, needs.viewer, async (request, reply) => {
    const query = readFields(request.query);
    const { id } = await findTag(db, query.one("tag"));
    const [tags, reach, { timezone }] = await Promise.all([
      listAllTags(db, countedSince(clock)),
      tagReach(db, id),
      loadSchedule(db),
    ]);
    const tag = tags.find((one) => one.id === id)!;
    return show(
      request,
      reply,
      { name: "tag", title: tag.name, place: "tags" },
      {
        notice: doneWords[query.one("done")] ?? null,
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
            `${count(tag.articles, "article")} in 90 days`,
            `${count(reach.waiting, "article")} for the next edition`,
            count(reach.readers, "reader"),
            reach.onlyThis === 0 ? "" : `${number(reach.onlyThis)} with no other tag`,
          ].filter((fact) => fact !== ""),
        },
        names: tags.filter((one) => one.id !== id).map(({ name }) => name),
      },
    );
  });
}
