import { recentArticles, type RecentArticle } from "../../articles/store.ts";
import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { chooseTags } from "../../articles/tag-choice.ts";
import { localDate } from "../../schedule/calendar.ts";
import { longDate, httpUrl } from "../../render/plain.ts";
import { loadSchedule } from "../../schedule/store.ts";
import type { Catalogue } from "../tag-cache.ts";
import { readTags, subscribePath, tagPath, tagQuery } from "../tag-query.ts";
import type { Views } from "../views.ts";
import type { Wording } from "../../texts/catalogue.ts";
import { parseEditionName } from "../../base/edition-name.ts";
import { linkTags } from "./editions.ts";
import { freshTag } from "./offers.ts";

const listed = 50;
const offered = 24;

/**
 * `/tags/lg%20u%2B`: what a tag brings. Another spelling leads to the tag's own address. The rest of the path is the tag,
 * since a slash in it comes both encoded and not, and since 60 Korean letters are 540 characters of an address. Some names
 * stand in the query, `/tags/?tag=..`.
 */
export function addTagPages(
  web: FastifyInstance,
  app: Pick<App, "clock" | "db">,
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
        follow: freshPath(await catalogue(), asked),
        offers: linkTags(popular.map(({ name }) => name)),
      });
    }
    const own = tagPath(tag.name);
    if (tag.name !== asked || own.includes("?") !== (inPath === "")) return reply.redirect(own, 302);
    const { timezone } = await loadSchedule(db);
    const show = { own: tag.name, timezone, language, words: views.words };
    const articles = await recentArticles(db, { now: clock.now(), limit: listed, tagId: tag.id });
    return views.send(reply, "tag", {
      title: tag.name,
      name: tag.name,
      articles: articles.map((article) => showRecent(article, show)),
      paths: { subscribe: subscribePath([tag.name]), sample: `/sample${tagQuery([tag.name])}` },
    });
  });
}

/** Where to follow a tag that no article has had yet. */
function freshPath(tags: Catalogue, asked: string): string | null {
  const fresh = freshTag(tags, asked);
  return fresh === null ? null : subscribePath([fresh]);
}

/** Such as `Edition of 24 November 2026`. */
function editionLabel(name: string, { language, say }: Pick<Wording, "language" | "say">): string {
  const { date, number } = parseEditionName(name);
  return say("article.edition", { date: longDate(date, language), extra: number === 1 ? "none" : number });
}

function showRecent(
  article: RecentArticle,
  show: { own: string; timezone: string; language: string; words: Wording },
): object {
  const { title, url, summary, tags, origin, edition, publishedAt, firstSeenAt } = article;
  return {
    title,
    url: httpUrl(url),
    summary,
    source: origin && { name: origin.name, url: origin.url === null ? null : httpUrl(origin.url) },
    tags: linkTags(tags.filter((tag) => tag !== show.own)),
    date: longDate(localDate(publishedAt === null ? firstSeenAt : new Date(publishedAt), show.timezone), show.language),
    edition: edition === null ? null : { path: `/editions/${edition}`, label: editionLabel(edition, show.words) },
  };
}
