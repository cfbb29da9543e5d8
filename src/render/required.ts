import { Refusal } from "../base/errors.ts";
import { names } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { shapes } from "./shapes.ts";
import type { Mode, TemplateFile } from "./types.ts";

/**
 * An email must have an unsubscribe link (CAN-SPAM, RFC 8058) and must contain every article once, whatever parts the
 * article has. Returns the layout, or throws `Refusal` 422 that names what is missing.
 */
export function checkParts(layout: Layout, file: TemplateFile, mode: Mode): Layout {
  const used = names(layout.nodes);
  const wanted = mode === "edition" ? ["reader.preferencesUrl", "reader.unsubscribeUrl", "reader.moreUrl"] : [];
  const missing = wanted.find((name) => !used.includes(name));
  if (missing !== undefined) {
    throw new Refusal(422, "template_value_missing", { file: file.path, value: `{{ ${missing} }}` });
  }
  const places = layout.nodes.filter((node) => "articles" in node).length;
  if (places !== 1) throw new Refusal(422, "template_articles_misplaced", { file: file.path, n: places });
  for (const [i, shape] of shapes.entries()) {
    const inside = names(layout.shapes.get(String(i)) ?? []);
    const lacks = ["title", "url"].find((field) => !inside.includes(`article.${i}.${field}`));
    if (lacks !== undefined) {
      throw new Refusal(422, "template_article_value_missing", {
        file: file.path,
        value: `{{ article.${lacks} }}`,
        lead: shape.lead ? "yes" : "no",
        without: partsWithout(shape),
      });
    }
  }
  return layout;
}

function partsWithout(shape: (typeof shapes)[number]): string {
  const without = [shape.summary ? "" : "summary", shape.tags ? "" : "tags", shape.source === "none" ? "source" : ""];
  return without.filter((part) => part !== "").join(", ") || "none";
}
