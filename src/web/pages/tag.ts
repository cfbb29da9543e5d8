import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { recentArticles, type RecentArticle } from "../../articles/recent.ts";
import { chooseTags } from "../../articles/tag-choice.ts";
import { localDate } from "../../schedule/calendar.ts";
import { longDate } from "../../render/dates.ts";
import { httpUrl } from "../../render/plain.ts";
import { loadSchedule } from "../../schedule/store.ts";
import type { Catalogue } from "../catalogue.ts";
import { readTags, subscribePath, tagPath, tagQuery } from "../tag-query.ts";
import type { Views } from "../views.ts";
import { linkTags } from "./article-tags.ts";

const listed = 50;
const offered = 24;

/**
 * `/tags/lg%20u%2B`: what a tag brings. Another spelling leads to the tag's own address. The rest of the path is the tag,
 * since a slash in it comes both encoded and not, and since 60 Korean letters are 540 characters of an address. Some names
 * stand in the query, `/tags/?tag=..`.
 */
export function addTagPages(
  web: FastifyInstance,
  app: App,
  { views, catalogue }: { views: Views; catalogue: () => Promise<Catalogue> },
): void {
  const { db, clock } = app;
  const { language, say } = views.words;

  web.get<{ Params: { "*": string } }>("/tags/*", async (request, reply) => {
    const inPath = request.params["*"];
    const asked = inPath === "" ? (readTags(request.url, () => true)[0] ?? "") : inPath;
    const { known, unknown, hidden } = await chooseTags(db, [asked]);
    const [tag] = known;
    if (!tag) {
      const popular = (await catalogue()).popular(offered);
      return views.send(reply.code(404), "tag-missing", {
        title: hidden.length > 0 ? say("tag.hidden_title") : say("tag.missing_title"),
        hidden: hidden.length > 0,
        name: unknown[0] ?? null,
        offers: linkTags(popular.map(({ name }) => name)),
      });
    }
    const own = tagPath(tag.name);
    if (tag.name !== asked || own.includes("?") !== (inPath === "")) return reply.redirect(own, 302);
    const { timezone } = await loadSchedule(db);
    const show = { own: tag.name, timezone, language };
    const articles = await recentArticles(db, { now: clock.now(), limit: listed, tagId: tag.id });
    return views.send(reply, "tag", {
      title: tag.name,
      name: tag.name,
      articles: articles.map((article) => showRecent(article, show)),
      paths: { subscribe: subscribePath([tag.name]), sample: `/sample${tagQuery([tag.name])}` },
    });
  });
}

function showRecent(article: RecentArticle, show: { own: string; timezone: string; language: string }): object {
  const { title, url, summary, tags, origin, edition, publishedAt, firstSeenAt } = article;
  return {
    title,
    url: httpUrl(url),
    summary,
    source: origin && { name: origin.name, url: origin.url === null ? null : httpUrl(origin.url) },
    tags: linkTags(tags.filter((tag) => tag !== show.own)),
    date: longDate(localDate(publishedAt === null ? firstSeenAt : new Date(publishedAt), show.timezone), show.language),
    edition: edition === null ? null : `/editions/${edition}`,
  };
}
