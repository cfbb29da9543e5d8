import type { EditionArticle } from "./types.ts";

/** Which parts an article has. The template is rendered once per shape, not once per article. */
export interface Shape {
  lead: boolean;
  summary: boolean;
  source: "none" | "named" | "linked";
  tags: boolean;
}

const yesNo = [true, false];

/** All shapes there are; a shape is known by its place here. The first has every part. */
export const shapes: readonly Shape[] = yesNo.flatMap((lead) =>
  yesNo.flatMap((summary) =>
    (["linked", "named", "none"] as const).flatMap((source) => yesNo.map((tags) => ({ lead, summary, source, tags }))),
  ),
);

/** The number of the shape of an article whose texts are cleaned already. */
export function shapeOf(article: Pick<EditionArticle, "summary" | "tags" | "origin">, lead: boolean): number {
  const source = article.origin === null ? "none" : article.origin.url === null ? "named" : "linked";
  const summary = article.summary !== "";
  const tags = article.tags.length > 0;
  return shapes.findIndex((s) => s.lead === lead && s.summary === summary && s.source === source && s.tags === tags);
}
