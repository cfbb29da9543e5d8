import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { localDate } from "../../schedule/calendar.ts";
import { archivePage } from "../../editions/archive.ts";
import { readFields } from "./fields.ts";
import { allowOwnScripts } from "../security.ts";
import { findEdition, type Edition } from "../../editions/store.ts";
import { frozenArticles } from "../../editions/frozen-articles.ts";
import { httpUrl, longDate } from "../../render/plain.ts";
import { markdownHtml, parseMarkdown } from "../../render/markdown.ts";
import { wordBreak } from "../../render/scripts.ts";
import type { EditionArticle, EditionName } from "../../render/types.ts";
import { parseEditionName, editionName } from "../../base/edition-name.ts";
import type { Views } from "../views.ts";
import type { Wording } from "../../texts/catalogue.ts";
import { tagPath } from "../tag-query.ts";

const longestQuery = 100;

/** `/editions` and `/editions/:date`: what went out, for everybody. */
export function addEditionPages(web: FastifyInstance, app: Pick<App, "clock" | "db">, views: Views): void {
  const { db, clock } = app;
  const { words } = views;

  web.get("/editions", async (request, reply) => {
    const fields = readFields(request.query);
    const query = fields.one("q").trim().slice(0, longestQuery);
    const before = readBefore(fields.one("before"));
    const { editions, more } = await archivePage(db, { before, query });
    return views.send(reply, "editions", {
      title: words.say("editions.title"),
      query,
      first: before === null,
      older: more && olderPath(more, query),
      editions: editions.map((edition) => ({ ...showPublished(edition, words), matches: edition.matches })),
    });
  });

  web.get<{ Params: { date: string } }>("/editions/:date", async (request, reply) => {
    const { date, number } = named(request.params.date);
    const edition = await findEdition(db, date, number);
    // One that is not out yet may still be held back, and is nobody's business.
    if (!edition?.sending_at) throw missing();
    const shown = showPublished(edition, words);
    return views.send(allowOwnScripts(reply), "edition", {
      title: shown.date,
      edition: shown,
      introduction: markdownHtml(parseMarkdown(edition.introduction ?? "")),
      old: isOld(edition.date, localDate(clock.now(), edition.timezone)),
      articles: (await frozenArticles(db, edition.id)).map(showArticle),
    });
  });
}

function olderPath(before: EditionName, query: string): string {
  const fields = new URLSearchParams({ before: editionName(before), ...(query === "" ? {} : { q: query }) });
  return `/editions?${fields.toString()}`;
}

/** null for the newest; a name that is none is that of no edition. */
function readBefore(raw: string): EditionName | null {
  return raw === "" ? null : named(raw);
}

function named(raw: string): EditionName {
  try {
    return parseEditionName(raw);
  } catch {
    throw missing();
  }
}

function missing(): Refusal {
  return new Refusal(404, "edition_page_not_found");
}

/** What is not an http(s) address is text without a link. */
function showArticle({ title, url, summary, tags, origin }: EditionArticle): object {
  const source = origin && { name: origin.name, url: origin.url === null ? null : httpUrl(origin.url) };
  return {
    title,
    url: httpUrl(url),
    summary,
    tags: linkTags(tags),
    source,
    wordBreak: wordBreak(title + summary),
  };
}

/** An edition as the pages name it. */
interface Published {
  path: string;
  date: string;
  /** Such as `Edition 2`; null for the regular one. */
  extra: string | null;
  articles: string;
}

export function showPublished(edition: Edition, { language, say }: Wording): Published {
  return {
    path: `/editions/${editionName(edition)}`,
    date: longDate(edition.date, language),
    extra: edition.number === 1 ? null : say("edition.number", { n: edition.number }),
    articles: say("edition.articles", { n: edition.articles }),
  };
}

/** Whether a local date lies more than a year before another. */
export function isOld(date: string, today: string): boolean {
  return date < `${Number(today.slice(0, 4)) - 1}${today.slice(4)}`;
}

/** An article's tags, each with the address of its page. */
export function linkTags(names: readonly string[]): { name: string; path: string }[] {
  return names.map((name) => ({ name, path: tagPath(name) }));
}
