import { oneLine } from "../base/text.ts";
import { clip, httpUrl } from "./plain.ts";
import type { EditionArticle, Picture } from "./types.ts";

/** Limits for texts in an email, so that one article cannot fill it. The full text is on the web. */
const limits = { title: 300, summary: 600, tag: 60, tags: 12, origin: 100, alt: 200 };

/** The article for an email: every text is one clean line, and links that are not http(s) are removed. */
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
    picture: cleanPicture(article.picture ?? null),
  };
}

/** Mail clients warn about pictures that are not encrypted, or do not show them. */
function cleanPicture(picture: Picture | null): Picture | null {
  const url = picture && httpUrl(picture.url);
  if (!picture || url?.startsWith("https:") !== true) return null;
  return { ...picture, url, alt: clip(oneLine(picture.alt), limits.alt) };
}

function originUrl(article: EditionArticle): string | null {
  return article.origin?.url == null ? null : httpUrl(article.origin.url);
}
