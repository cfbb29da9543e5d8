import { escapeHtml } from "./plain.ts";
import type { Picture } from "./types.ts";

/** Pixels: the width of the column, and half of it. */
const widest = { lead: 608, rest: 304 };

/**
 * An article's picture above its headline, linked to the article. Outlook obeys the attributes, other clients the style, and
 * one that shows no pictures has the text. @param title the text of a picture without one
 */
export function pictureHtml(picture: Picture, article: { title: string; url: string; lead: boolean }): string {
  const most = article.lead ? widest.lead : widest.rest;
  const width = Math.min(picture.width ?? most, most);
  const { width: own, height } = picture;
  const scaled = own === null || height === null ? null : Math.max(1, Math.round((height * width) / own));
  const alt = escapeHtml(picture.alt || article.title);
  return (
    `<a href="${escapeHtml(article.url)}"><img src="${escapeHtml(picture.url)}" alt="${alt}" width="${width}"` +
    `${scaled === null ? "" : ` height="${scaled}"`} border="0" ` +
    `style="display:block;width:100%;max-width:${width}px;height:auto;margin:0 0 12px"></a>`
  );
}
