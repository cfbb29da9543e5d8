import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { listAllTags } from "../../articles/tag-list.ts";
import { cleanTag, tagKey } from "../../articles/tags.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./desk.ts";
import { addTagActs } from "./tag-acts.ts";
import { addTagDesk, countedSince, operatorTagPath } from "./tag.ts";
import { count, number } from "./format.ts";

const listed = 200;

/** `/operator/tags`: all tags with their articles and readers. */
export function addTagsPage(web: FastifyInstance, app: App, show: Show): void {
  web.get("/operator/tags", needs.viewer, async (request, reply) => {
    const query = readFields(request.query);
    const wanted = tagKey(cleanTag(query.one("q")) ?? "");
    const tags = await listAllTags(app.db, countedSince(app.clock));
    const found = tags
      .filter((tag) => [tag.name, ...tag.aliases].some((name) => tagKey(name).includes(wanted)))
      .toSorted((a, b) => b.articles - a.articles || b.readers - a.readers);
    return show(
      request,
      reply,
      { name: "tags", title: "Tags", place: "tags" },
      {
        query: query.one("q").slice(0, 100),
        total: count(tags.length, "tag"),
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

  addTagDesk(web, app, show);
  addTagActs(web, app, show);
}
