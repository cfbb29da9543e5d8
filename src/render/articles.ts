import { clip, httpUrl, oneLine } from "./plain.ts";
import type { EditionArticle } from "./types.ts";

/** The longest texts a mail shows, so that one article can never fill it alone. The whole stands on the web. */
const limits = { title: 300, summary: 600, tag: 60, tags: 12, origin: 100 };

/** The article as a mail can show it: every text one clean line, every link http(s) or gone. */
export function cleanArticle(article: EditionArticle, fallbackUrl: string): EditionArticle {
  const originName = clip(oneLine(article.origin?.name ?? ""), limits.origin);
  const url = httpUrl(article.url) ?? fallbackUrl;
  return {
    position: article.position,
    title: clip(oneLine(article.title), limits.title) || url,
    url,
    summary: clip(oneLine(article.summary), limits.summary),
    tags: article.tags
      .map((tag) => clip(oneLine(tag), limits.tag))
      .filter((tag) => tag !== "")
      .slice(0, limits.tags),
    origin: originName === "" ? null : { name: originName, url: originUrl(article) },
    publishedAt: article.publishedAt,
  };
}

function originUrl(article: EditionArticle): string | null {
  return article.origin?.url == null ? null : httpUrl(article.origin.url);
}
