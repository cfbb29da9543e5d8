import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { Refusal } from "../../base/errors.ts";
import { localDate } from "../../schedule/calendar.ts";
import { findEdition, listPublished } from "../../editions/store.ts";
import { frozenArticles } from "../../editions/frozen-articles.ts";
import { httpUrl, paragraphs } from "../../render/plain.ts";
import type { EditionArticle } from "../../render/types.ts";
import { parseEditionName } from "../../base/edition-name.ts";
import type { Views } from "../views.ts";
import { linkTags } from "./article-tags.ts";
import { isOld, showPublished } from "./published.ts";

const listed = 100;

/** `/editions` and `/editions/:date`: what went out, for everybody. */
export function addEditionPages(web: FastifyInstance, app: App, views: Views): void {
  const { db, clock } = app;
  const { words } = views;

  web.get("/editions", async (_request, reply) => {
    const editions = await listPublished(db, listed);
    return views.send(reply, "editions", {
      title: words.say("editions.title"),
      editions: editions.map((edition) => showPublished(edition, words)),
    });
  });

  web.get<{ Params: { date: string } }>("/editions/:date", async (request, reply) => {
    const { date, number } = named(request.params.date);
    const edition = await findEdition(db, date, number);
    // One that is not out yet may still be held back, and is nobody's business.
    if (!edition?.sending_at) throw missing();
    const shown = showPublished(edition, words);
    return views.send(reply, "edition", {
      title: shown.date,
      edition: shown,
      introduction: paragraphs(edition.introduction ?? ""),
      old: isOld(edition.date, localDate(clock.now(), edition.timezone)),
      articles: (await frozenArticles(db, edition.id)).map(showArticle),
    });
  });
}

function named(raw: string): { date: string; number: number } {
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
  return { title, url: httpUrl(url), summary, tags: linkTags(tags), source };
}
