import { Refusal } from "../base/errors.ts";
import { names } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { shapes } from "./shapes.ts";
import type { Mode, TemplateFile } from "./types.ts";

/**
 * A mail must let its reader go (CAN-SPAM, RFC 8058) and must hold every article once, whatever parts the article has.
 * Returns the layout, or throws `Refusal` 422 that names what the template lacks.
 */
export function checkParts(layout: Layout, file: TemplateFile, mode: Mode): Layout {
  const refuse = (reason: string): Refusal => new Refusal(422, `The mail template ${file.path} ${reason}.`);
  const used = names(layout.nodes);
  const wanted = mode === "edition" ? ["reader.preferencesUrl", "reader.unsubscribeUrl", "reader.moreUrl"] : [];
  const missing = wanted.find((name) => !used.includes(name));
  if (missing !== undefined) throw refuse(`has no {{ ${missing} }}`);
  const places = layout.nodes.filter((node) => "articles" in node).length;
  if (places !== 1)
    throw refuse(`must hold the articles once, between {{ article.begin }} and {{ article.end }}, not ${places} times`);
  for (const [i, shape] of shapes.entries()) {
    const inside = names(layout.shapes.get(String(i)) ?? []);
    const lacks = ["title", "url"].find((field) => !inside.includes(`article.${i}.${field}`));
    if (lacks !== undefined)
      throw refuse(`has no {{ article.${lacks} }} for ${shape.lead ? "a lead article" : "an article"}${parts(shape)}`);
  }
  return layout;
}

function parts(shape: (typeof shapes)[number]): string {
  const without = [shape.summary ? "" : "summary", shape.tags ? "" : "tags", shape.source === "none" ? "source" : ""];
  const list = without.filter((word) => word !== "").join(" and ");
  return list === "" ? "" : ` without ${list}`;
}
