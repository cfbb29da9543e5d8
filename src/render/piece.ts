import { quotedPrintable } from "../mail/encode.ts";
import type { Layout } from "./layout.ts";
import { escapeHtml, textWidth, wrap } from "./plain.ts";
import { shapeOf } from "./shapes.ts";
import type { ArticlePiece, EditionArticle } from "./types.ts";

/** One cleaned article in HTML and text, as the lead article or as one of the others. */
export function articlePiece(article: EditionArticle, lead: boolean, html: Layout, text: Layout): ArticlePiece {
  const shape = String(shapeOf(article, lead));
  const values: Record<string, string> = {
    title: article.title,
    url: article.url,
    summary: article.summary,
    tags: article.tags.join(" \u00b7 "),
    source: article.origin?.name ?? "",
    sourceUrl: article.origin?.url ?? "",
  };
  const htmlText = filled(html, shape, (field) => escapeHtml(values[field] ?? ""));
  const plainText = filled(text, shape, (field) => wrap(values[field] ?? "", textWidth));
  return {
    html: quotedPrintable(htmlText),
    text: quotedPrintable(plainText),
    kb: Buffer.byteLength(htmlText) / 1000,
  };
}

function filled(layout: Layout, shape: string, value: (field: string) => string): string {
  const tokens = layout.shapes.get(shape) ?? [];
  return tokens.map((token) => ("text" in token ? token.text : value(token.name.split(".")[2] ?? ""))).join("");
}
