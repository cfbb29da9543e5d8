import type { EditionArticle } from "./types.ts";

/** Which parts an article has. The template is rendered once per shape, not once per article. */
export interface Shape {
  lead: boolean;
  summary: boolean;
  source: "none" | "named" | "linked";
  tags: boolean;
}

const yesNo = [true, false];

/** All shapes. A shape is identified by its index. The first one has every part. */
export const shapes: readonly Shape[] = yesNo.flatMap((lead) =>
  yesNo.flatMap((summary) =>
    (["linked", "named", "none"] as const).flatMap((source) => yesNo.map((tags) => ({ lead, summary, source, tags }))),
  ),
);

/** The index of the shape of a cleaned article. */
export function shapeOf(article: Pick<EditionArticle, "summary" | "tags" | "origin">, lead: boolean): number {
  const source = article.origin === null ? "none" : article.origin.url === null ? "named" : "linked";
  const summary = article.summary !== "";
  const tags = article.tags.length > 0;
  return shapes.findIndex((s) => s.lead === lead && s.summary === summary && s.source === source && s.tags === tags);
}
