import { readdirSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/package-root.ts";
import { readerScripts, readerTemplates } from "./reader-sources.ts";
import { calledBy, isNode, readSyntax, walk, type Node } from "./syntax.ts";

/** Where the texts of pages and of the API's answers are written, besides templates and scripts. */
const code = [
  ...readdirSync(join(packageRoot, "src/web"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join("src/web", file)),
  ...["change-address", "confirm", "signup"].map((name) => `src/subscribers/${name}.ts`),
];
/** Two words, or one that begins like a sentence or a label. */
const prose = /\p{L}{2,}[,:;]? \p{L}{2,}|^\s*\p{Lu}\p{Ll}+[.:!?…]*\s*$/u;
const technical =
  /; charset=|^(public|attachment),?;? |^use strict$|^\w+ as \w+$|^(?:Bearer|Basic)\b|HttpOnly|'(none|self)'|^data-tags=|^HTTP\//;
/** What marks a text, and what developers alone read. */
const marks = new Set(["say", "t", "Error", "describe", "meta"]);
/** Parts of the API's description. */
const described = new Set(["summary", "description"]);
/** Constants with code, and with parts of the API's description. */
const notShown = new Set(["css", "summaries", "description"]);
const logs = new Set(["info", "warn", "error"]);

const liquid = /\{[%{][^]*?[%}]\}/g;
const inEnglish = /<(\w+)[^>]* lang="en">[^]*?<\/\1>/g;
const spoken = /\b(?:alt|aria-label|placeholder|title)="([^"]*)"/g;

/** Words in the templates of readers' pages that are not from the catalogue, as `front.liquid: Next steps`. */
export function unmarkedInTemplates(): string[] {
  return readerTemplates.flatMap(({ name, source }) => wordsOf(source).map((text) => `${name}: ${text.trim()}`));
}

/** Texts in the code of readers' pages that nothing marks, as `src/web/pages/front.ts: Next steps`. */
export function unmarkedInCode(): string[] {
  return [...code, ...readerScripts.map(({ name }) => name)].flatMap((path) =>
    [...walk(readSyntax(path).tree)]
      .filter(({ above }) => !above.some(isExempt))
      .map(({ node }) => textOf(node))
      .filter((text) => prose.test(text) && !technical.test(text))
      .map((text) => `${path}: ${text.trim()}`),
  );
}

/** What a browser would show or read out: between tags, in some attributes, and from literals of Liquid. */
function wordsOf(template: string): string[] {
  const unmarked = template.replace(inEnglish, "");
  const literals = (unmarked.match(liquid) ?? []).flatMap((tag) => tag.match(/"[^"]*"/g) ?? []);
  const html = unmarked.replace(liquid, "").replace(/&\w+;/g, "");
  const attributes = [...html.matchAll(spoken)].map(([, text]) => text!);
  return [
    ...[...html.split(/<[^>]*>/), ...attributes].filter((text) => /\p{L}/u.test(text)),
    ...literals.filter((text) => prose.test(text)),
  ];
}

function isExempt(node: Node): boolean {
  if (isNode(node["source"]) || node.type === "TSLiteralType") return true;
  if (node.type === "Property" && isNode(node["key"]) && described.has(String(node["key"]["name"]))) return true;
  if (node.type === "BinaryExpression") return String(node["operator"]).endsWith("==");
  if (node.type === "VariableDeclarator") return isNode(node["id"]) && notShown.has(String(node["id"]["name"]));
  if (node.type === "TaggedTemplateExpression") return true;
  const callee = node["callee"];
  return (
    marks.has(calledBy(node)) || (logs.has(calledBy(node)) && isNode(callee) && callee.type === "MemberExpression")
  );
}

/** Of a literal, without the tags of HTML, also where a value cuts them. */
function textOf({ type, value }: Node): string {
  const text = type === "TemplateElement" ? (value as { cooked: string }).cooked : type === "Literal" ? value : "";
  return typeof text === "string" ? text.replace(/<[^>]*(>|$)/g, "").replace(/^[^<]*>/, "") : "";
}
