import { readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { isNode, readSyntax, type Node } from "../support/syntax.ts";
import { expectWritten } from "../support/written-docs.ts";

const document = "docs/architecture.md";
const command = "UPDATE_DOCS=1 npx vitest run --project unit tests/unit/architecture.test.ts";

interface Import {
  from: string;
  to: string;
}

const files = ["src", "jobs"].flatMap((folder) =>
  readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file)),
);
const imports = files.flatMap(valueImports);

test("every folder stands in the order, and nothing else does", () => {
  const present = [...new Set(files.map(folderOf))].toSorted();
  expect([...order()].toSorted()).toEqual(present);
});

test("value imports between folders point down the order only", () => {
  expect(upward(imports)).toEqual([]);
});

test("an import that points up is found", () => {
  const wrong = { from: "src/mail/verdict.ts", to: "src/web/build.ts" };
  expect(upward([...imports, wrong])).toEqual(["src/mail/verdict.ts imports src/web/build.ts"]);
});

test(`the picture shows the imports as they are (${command})`, () => {
  expectWritten(document, { picture: picture() }, command);
});

/** The folders of the table in docs/architecture.md, from the top. */
function order(): string[] {
  const text = readFileSync(join(packageRoot, document), "utf8");
  const table = /<!-- order -->([^]*?)<!-- \/order -->/.exec(text)![1]!;
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name!);
}

function upward(all: readonly Import[]): string[] {
  const rank = new Map(order().map((name, i) => [name, i]));
  return all
    .filter(({ from, to }) => folderOf(from) !== folderOf(to) && rank.get(folderOf(from))! > rank.get(folderOf(to))!)
    .map(({ from, to }) => `${from} imports ${to}`);
}

/** `src/mail/` for a file anywhere in it; the file itself where it is in no folder. */
function folderOf(file: string): string {
  const [top, folder, ...inside] = file.split("/");
  if (top === "jobs") return "jobs/";
  return inside.length > 0 ? `src/${folder}/` : file;
}

/** Imports that are there when the program runs: not those of types alone. */
function valueImports(file: string): Import[] {
  const { tree } = readSyntax(file);
  return (tree["body"] as Node[]).flatMap((node) => {
    const source = isNode(node["source"]) ? String(node["source"]["value"]) : "";
    const kinds = ((node["specifiers"] ?? []) as Node[]).map((one) => one["importKind"] ?? one["exportKind"]);
    const types = node["importKind"] === "type" || (kinds.length > 0 && kinds.every((kind) => kind === "type"));
    if (!source.startsWith(".") || types || !source.endsWith(".ts")) return [];
    return [{ from: file, to: normalize(join(dirname(file), source)) }];
  });
}

/** A Mermaid graph of the folders. An arrow that a longer way makes superfluous is left out. */
function picture(): string {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const [a, b] = [folderOf(from), folderOf(to)];
    if (a !== b) edges.set(a, (edges.get(a) ?? new Set()).add(b));
  }
  const reach = (from: string, seen = new Set<string>()): Set<string> => {
    for (const next of edges.get(from) ?? []) if (!seen.has(next)) reach(next, seen.add(next));
    return seen;
  };
  const arrows = order().flatMap((from) => {
    const direct = [...(edges.get(from) ?? [])];
    const needed = direct.filter((to) => !direct.some((other) => other !== to && reach(other).has(to)));
    return order()
      .filter((to) => needed.includes(to))
      .map((to) => `  ${idOf(from)}["${from}"] --> ${idOf(to)}["${to}"]`);
  });
  return ["```mermaid", "graph TD", ...arrows, "```"].join("\n");
}

function idOf(folder: string): string {
  return folder.replace(/\W/g, "_");
}
