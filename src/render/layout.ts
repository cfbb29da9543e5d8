import type { Token } from "./liquid.ts";
import { readerSlots, type ReaderSlot, type TemplateFile, type EditionArticle } from "./types.ts";
import { Refusal } from "../base/errors.ts";

/** A rendered template as a tree: text, named values, the place of the articles, and the block about further ones. */
export type Node = Token | { articles: true } | { more: Node[] };

/** `shapes` holds, for each shape's number, what stands between its begin and end marks. */
export interface Layout {
  nodes: Node[];
  shapes: Map<string, Token[]>;
}

/** Groups the tokens of a rendered template. Throws `Refusal` 422 for unpaired marks. */
export function layOut(tokens: Token[], file: TemplateFile): Layout {
  const layout: Layout = { nodes: [], shapes: new Map() };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    const begin = "name" in token ? /^(article\.\d+|more)\.begin$/.exec(token.name)?.[1] : undefined;
    if (begin === undefined) {
      // Between two shapes there is only the template's indentation.
      if ("text" in token && token.text.trim() === "" && "articles" in (layout.nodes.at(-1) ?? {})) continue;
      layout.nodes.push(token);
      continue;
    }
    const end = tokens.findIndex((other, at) => at > i && "name" in other && other.name === `${begin}.end`);
    const word = begin.split(".")[0] ?? "";
    if (end < 0)
      throw new Refusal(422, "template_block_not_closed", {
        file: file.path,
        begin: `{{ ${word}.begin }}`,
        end: `{{ ${word}.end }}`,
      });
    const inner = tokens.slice(i + 1, end);
    if (word === "more") layout.nodes.push({ more: inner });
    else {
      if (!("articles" in (layout.nodes.at(-1) ?? {}))) layout.nodes.push({ articles: true });
      layout.shapes.set(begin.slice("article.".length), inner);
    }
    i = end;
  }
  checkPlaces(layout, file);
  return layout;
}

/** Values of an article only exist inside its block, and values of a reader only outside it. */
function checkPlaces({ nodes, shapes }: Layout, file: TemplateFile): void {
  const outside = nodes.flatMap((node) => ("more" in node ? node.more : [node]));
  const stray = names(outside).find((name) => /^(article|more)\./.test(name));
  if (stray !== undefined) {
    const value = `{{ ${stray.replace(/\.\d+\./, ".")} }}`;
    throw new Refusal(422, "template_value_outside_block", { file: file.path, value });
  }
  const reader = [...shapes.values()].flatMap(names).find((name) => readerSlotOf(name) !== null);
  if (reader !== undefined) {
    throw new Refusal(422, "template_reader_value_in_article", { file: file.path, value: `{{ ${reader} }}` });
  }
}

export function names(nodes: readonly Node[]): string[] {
  return nodes.flatMap((node) => ("name" in node ? [node.name] : "more" in node ? names(node.more) : []));
}

export function readerSlotOf(name: string): ReaderSlot | null {
  return readerSlots.find((slot) => name === `reader.${slot}`) ?? null;
}

/** Which parts an article has. The template is rendered once per shape, not once per article. */
interface Shape {
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
