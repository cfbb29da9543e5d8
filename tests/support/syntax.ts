import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAst } from "vitest/node";
import { packageRoot } from "../../src/package-root.ts";

/** A node of a syntax tree (ESTree). */
export type Node = { type: string; start: number } & Record<string, unknown>;

/** A file as its tree. @param path from the project's root */
export function readSyntax(path: string): { tree: Node; placeOf(node: Node): string } {
  let file = read.get(path);
  if (file === undefined) read.set(path, (file = parseFile(path)));
  return file;
}

const read = new Map<string, ReturnType<typeof parseFile>>();

function parseFile(path: string): { tree: Node; placeOf(node: Node): string } {
  const source = readFileSync(join(packageRoot, path), "utf8");
  const tree = parseAst(source, { lang: path.endsWith(".ts") ? "ts" : "js" }) as unknown as Node;
  return { tree, placeOf: ({ start }) => `${path}:${source.slice(0, start).split("\n").length}` };
}

/** The tree of TypeScript source. */
export function parseSyntax(source: string): Node {
  return parseAst(source, { lang: "ts" }) as unknown as Node;
}

/** Every node, with those it stands in, the nearest last. */
export function* walk(node: Node, above: readonly Node[] = []): Generator<{ node: Node; above: readonly Node[] }> {
  yield { node, above };
  const inside = [...above, node];
  for (const value of Object.values(node).flat()) if (isNode(value)) yield* walk(value, inside);
}

/** The name of what a call calls: `say` of `words.say("…")`; "" for what is no call, or has no name. */
export function calledBy(node: Node): string {
  if (node.type !== "CallExpression" && node.type !== "NewExpression") return "";
  const callee = node["callee"] as Node;
  const named = callee.type === "MemberExpression" ? (callee["property"] as Node) : callee;
  return named.type === "Identifier" ? String(named["name"]) : "";
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}
