import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/base/root.ts";
import type { Pattern } from "../../src/base/sentence.ts";
import { translateScript, translateTemplate } from "../../src/web/language/marks.ts";
import { calledBy, isNode, readSyntax, walk, type Node } from "./syntax.ts";

const templates = "templates/web";
/** Those of operators are in English; the outbox is seen on the server's own machine only. */
const forOperators = /^operator\/|^(outbox|mail)\.liquid$/;
const scripts = ["src/web/assets/forms.js", "src/web/assets/proof.js", "src/web/embed/client.js"];

export const readerTemplates = filesIn(templates, ".liquid")
  .filter((name) => !forOperators.test(name))
  .map((name) => ({ name, source: read(join(templates, name)) }));

export const readerScripts = scripts.map((name) => ({ name, source: read(name) }));

/** Every text that readers' pages may show, in English, by the key that it is translated under. */
export function markedTexts(): Map<string, Pattern> {
  const found = new Map<string, Pattern>();
  const note = (pattern: Pattern): Pattern => {
    found.set(typeof pattern === "string" ? pattern : pattern.other, pattern);
    return pattern;
  };
  for (const { source } of readerTemplates) translateTemplate(source, note);
  for (const { source } of readerScripts) translateScript(source, note);
  for (const { pattern } of markedCalls()) if (pattern !== null) note(pattern);
  return found;
}

/** `sentence(…)` anywhere, and `say(…)` of the web pages; `pattern` is null where it is no literal. */
export function markedCalls(): { place: string; pattern: Pattern | null }[] {
  return filesIn("src", ".ts").flatMap((name) => {
    const path = join("src", name);
    const marks = /^src\/web\/(?!operator\/|language\/)/.test(path) ? ["say", "sentence"] : ["sentence"];
    if (!marks.some((mark) => read(path).includes(`${mark}(`))) return [];
    const { tree, placeOf } = readSyntax(path);
    return [...walk(tree)]
      .filter(({ node }) => marks.includes(calledBy(node)))
      .map(({ node }) => ({ place: placeOf(node), pattern: patternOf((node["arguments"] as Node[])[0]) }))
      .filter(({ place }) => !place.startsWith("src/web/language/"));
  });
}

function patternOf(argument: Node | undefined): Pattern | null {
  if (typeof argument?.["value"] === "string") return argument["value"];
  if (argument?.type !== "ObjectExpression") return null;
  const forms = (argument["properties"] as Node[]).map(({ key, value }) =>
    isNode(key) && isNode(value) ? [key["name"], value["value"]] : [],
  );
  const { one, other } = Object.fromEntries(forms) as Record<string, unknown>;
  return typeof one === "string" && typeof other === "string" ? { one, other } : null;
}

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(ending),
  );
}

function read(path: string): string {
  return readFileSync(join(packageRoot, path), "utf8");
}
