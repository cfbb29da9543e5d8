import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { firstArticles } from "../../editions/frozen-articles.ts";
import { listPublished, type Edition } from "../../editions/store.ts";
import { escapeHtml, httpUrl } from "../../render/plain.ts";
import type { EditionArticle } from "../../render/types.ts";
import { loadSchedule } from "../../schedule/store.ts";
import type { Wording } from "../../texts/catalogue.ts";
import { showPublished } from "./editions.ts";

const feedPath = "/editions/feed.xml";
const listed = 30;
/** Articles of one edition; the others are on its page. */
const mostArticles = 50;

/** `/editions/feed.xml`: the last 30 editions for feed readers. What went out never changes, so neither does an entry. */
export function addFeed(web: FastifyInstance, app: Pick<App, "config" | "db">, words: Wording): void {
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

interface AtomFeed {
  /** Absolute addresses; `id` never changes. */
  id: string;
  self: string;
  home: string;
  title: string;
  author: string;
  language: string;
  updated: Date;
  entries: AtomEntry[];
}

interface AtomEntry {
  id: string;
  link: string;
  title: string;
  updated: Date;
  /** HTML whose texts are escaped already. */
  html: string;
}

/** An Atom feed (RFC 4287): every id an IRI, one author for all, content as escaped HTML. */
function atomDocument(feed: AtomFeed): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${text(feed.language)}">
<id>${text(feed.id)}</id>
<title>${text(feed.title)}</title>
<updated>${feed.updated.toISOString()}</updated>
<author><name>${text(feed.author)}</name></author>
<link rel="self" type="application/atom+xml" href="${text(feed.self)}"/>
<link rel="alternate" type="text/html" href="${text(feed.home)}"/>
${feed.entries.map(entryElement).join("")}</feed>
`;
}

function entryElement({ id, link, title, updated, html }: AtomEntry): string {
  return `<entry>
<id>${text(id)}</id>
<title>${text(title)}</title>
<updated>${updated.toISOString()}</updated>
<link rel="alternate" type="text/html" href="${text(link)}"/>
<content type="html">${text(html)}</content>
</entry>
`;
}

/** What XML 1.0 has no way to write, escaped or not (2.2, Char), and what would be markup. */
function text(raw: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what must go
  return escapeHtml(raw.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, ""));
}
