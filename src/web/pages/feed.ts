import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { firstArticles } from "../../editions/frozen-articles.ts";
import { listPublished, type Edition } from "../../editions/store.ts";
import { escapeHtml, httpUrl } from "../../render/plain.ts";
import type { EditionArticle } from "../../render/types.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { atomDocument, type AtomEntry } from "./atom.ts";
import type { Wording } from "../../wording/catalogue.ts";
import { showPublished } from "./published.ts";

export const feedPath = "/editions/feed.xml";
const listed = 30;
/** Articles of one edition; the others are on its page. */
const mostArticles = 50;

/** `/editions/feed.xml`: the last 30 editions for feed readers. What went out never changes, so neither does an entry. */
export function addFeed(web: FastifyInstance, app: App, words: Wording): void {
  const { db, config } = app;

  web.get(feedPath, async (request, reply) => {
    const editions = await listPublished(db, listed);
    const sent = editions.map(({ sending_at }) => sending_at!.getTime());
    const updated = sent.length > 0 ? new Date(Math.max(...sent)) : (await loadSchedule(db)).since;
    const state = [config.publicUrl, config.publicationName, config.language, updated.toISOString(), editions.length];
    const etag = `"${createHash("sha256").update(JSON.stringify(state)).digest("base64url").slice(0, 22)}"`;
    reply.header("etag", etag).header("cache-control", "public, max-age=300");
    if (request.headers["if-none-match"]?.includes(etag)) return reply.code(304).send();
    const articles = await firstArticles(db, editions, mostArticles);
    const document = atomDocument({
      id: config.publicUrl + feedPath,
      self: config.publicUrl + feedPath,
      home: `${config.publicUrl}/editions`,
      title: words.say("feed.title", { publication: config.publicationName }),
      author: config.publicationName,
      language: config.language,
      updated,
      entries: editions.map((edition) =>
        entryOf(edition, articles.get(edition.id) ?? [], { publicUrl: config.publicUrl, words }),
      ),
    });
    return reply.type("application/atom+xml; charset=utf-8").send(document);
  });
}

function entryOf(
  edition: Edition,
  articles: EditionArticle[],
  { publicUrl, words }: { publicUrl: string; words: Wording },
): AtomEntry {
  const { path, date, extra } = showPublished(edition, words);
  const link = publicUrl + path;
  const rest = edition.articles - articles.length;
  const more = rest > 0 ? `<p><a href="${escapeHtml(link)}">${words.say("feed.more", { n: rest })}</a></p>` : "";
  return {
    id: link,
    link,
    title: extra === null ? date : `${date}, ${extra}`,
    updated: edition.sending_at!,
    html: articles.map((article) => articleHtml(article, words)).join("") + more,
  };
}

function articleHtml({ title, url, summary, origin, tags }: EditionArticle, { say }: Wording): string {
  const link = httpUrl(url);
  const headline = link === null ? escapeHtml(title) : `<a href="${escapeHtml(link)}">${escapeHtml(title)}</a>`;
  const lines = [
    summary,
    origin === null ? "" : `${say("article.source")} ${origin.name}`,
    tags.length === 0 ? "" : `${say("article.tags")} ${tags.join(" · ")}`,
  ];
  return `<h2>${headline}</h2>${lines
    .filter((line) => line !== "")
    .map((line) => `<p>${escapeHtml(line)}</p>`)
    .join("")}`;
}
