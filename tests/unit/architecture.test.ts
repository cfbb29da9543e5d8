import { readdirSync, readFileSync } from "node:fs";
import { calledBy, isNode, parseSyntax, readSyntax, walk, type Node } from "../support/syntax.ts";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
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

test("functions of the web folder name the parts of App that they use", () => {
  const whole = files.filter((file) => file.startsWith("src/web/") && takesWholeApp(textIn(file)));
  expect(whole.toSorted()).toEqual(["src/web/build-worker.ts", "src/web/build.ts"]);
});

test("a function that takes the whole App is found", () => {
  expect(takesWholeApp("export function addPage(web: FastifyInstance, app: App): void {}")).toBe(true);
  expect(takesWholeApp('function load(db: App["db"], { clock }: Pick<App, "clock">): void {}')).toBe(false);
});

test(`the picture shows the imports as they are (${command})`, () => {
  expectWritten(document, { picture: picture() }, command);
});

test("the surfaces and the folders below the database have no SQL", () => {
  const found = files.filter((file) => withoutSql.some((folder) => file.startsWith(folder)) && hasSql(file));
  expect(found).toEqual(Object.keys(sqlInSurfaces).toSorted());
});

test("each table is written in the folder of its noun", () => {
  const found = [...writers()].flatMap(([table, folders]) =>
    [...folders].slice(1).map((folder) => `${folder} writes ${table}, and so does ${[...folders][0]}`),
  );
  expect(found).toEqual([]);
});

test(`the tables and their folders are listed (${command})`, () => {
  const rows = [...writers()].map(([table, [folder]]) => [folder!, table] as const);
  const folders = order().filter((folder) => rows.some(([one]) => one === folder));
  const lines = folders.map((folder) => {
    const tables = rows.flatMap(([one, table]) => (one === folder ? [`\`${table}\``] : []));
    return `| \`${folder}\` | ${tables.join(", ")} |`;
  });
  expectWritten(document, { tables: ["| Folder | Tables |", "| --- | --- |", ...lines].join("\n") }, command);
});

test("pure files have no clock, database, process, file system or network, however far", () => {
  const pure = pureFiles();
  expect(pure.flatMap((file) => effectsOf(file).map((effect) => `${file}: ${effect}`))).toEqual([]);
});

test.each([
  ["import { readFileSync } from 'node:fs';", "imports node:fs"],
  ["import { sql } from 'kysely';", "imports kysely"],
  ["const at = new Date();", "new Date()"],
  ["const at = Date.now();", "Date.now"],
  ["const home = process.env.HOME;", "process.env"],
  ["const at = new Date(0);", null],
  ["import type { Db } from '../db/schema.ts';", null],
])("%s is found in a pure file: %s", (source, effect) => {
  expect(ownEffects(parseSyntax(source))).toEqual(effect === null ? [] : [effect]);
});

/** Folders that have no SQL: they ask the folder of the noun. */
const withoutSql = [
  "src/web/",
  "src/cli/",
  "jobs/",
  "src/render/",
  "src/mail/",
  "src/config/",
  "src/base/",
  "src/texts/",
];

/** SQL that is still there. */
const sqlInSurfaces: Record<string, string> = {
  "src/web/tag-cache.ts": "The cached tags and hosts of the pages.",
  "src/web/health.ts": "Whether the database answers, and whether this process's sender is alive.",
};

/** Writes outside a table's folder, each with the reason. */
const foreignWrites: Record<string, string> = {
  "src/alerts/retention.ts": "Deletes what is too old, from all tables.",
  "src/editions/open.ts articles": "Claims the articles in the statement that freezes the edition.",
  "src/ledger/dead-senders.ts deliveries": "Sweeps what a dead process had claimed.",
  "src/ledger/dead-senders.ts notices": "The same.",
  "src/ledger/dead-senders.ts alert_calls": "The same.",
  "src/editions/edit-held.ts articles": "Gives back articles that are left out of a held edition.",
  "src/deliveries/claims.ts subscribers": "Suppresses an address with the outcome that shows it does not exist.",
  "src/subscribers/erase.ts": "Removes a reader from everything that names them.",
  "src/operators/data-folder.ts tokens": "The token of the settings is a row like any other.",
};

const tables = readdirSync(join(packageRoot, "src/db/migrations")).flatMap((file) =>
  [...readFileSync(join(packageRoot, "src/db/migrations", file), "utf8").matchAll(/^create table (\w+)/gm)].map(
    ([, name]) => name!,
  ),
);

const statement = /^\s*(?:select .+ (?:as|from) |insert into |update \w+ set |delete from )/;

function hasSql(file: string): boolean {
  return [...walk(readSyntax(file).tree)].some(
    ({ node }) =>
      (node.type === "TaggedTemplateExpression" && isNode(node["tag"]) && node["tag"]["name"] === "sql") ||
      /^(?:selectFrom|insertInto|updateTable|deleteFrom|mergeInto)$/.test(calledBy(node)) ||
      (node.type === "TemplateElement" && statement.test(textOf(node))) ||
      (node.type === "Literal" && statement.test(String(node["value"]))),
  );
}

/** The folders that write each table, the one with most writes first. */
function writers(): Map<string, string[]> {
  const counts = new Map(tables.toSorted().map((table) => [table, new Map<string, number>()]));
  for (const file of files.filter((one) => !one.startsWith("src/db/"))) {
    for (const table of writtenBy(file)) {
      if (`${file} ${table}` in foreignWrites) continue;
      if (Object.keys(foreignWrites).some((place) => !place.includes(" ") && file.startsWith(place))) continue;
      const folders = counts.get(table)!;
      folders.set(folderOf(file), (folders.get(folderOf(file)) ?? 0) + 1);
    }
  }
  return new Map(
    [...counts].map(([table, folders]) => [
      table,
      [...folders].toSorted(([, a], [, b]) => b - a).map(([folder]) => folder),
    ]),
  );
}

function writtenBy(file: string): string[] {
  return [...walk(readSyntax(file).tree)].flatMap(({ node }) => {
    if (/^(?:insertInto|updateTable|deleteFrom)$/.test(calledBy(node))) {
      const [table] = node["arguments"] as Node[];
      return tables.filter((name) => name === table?.["value"]);
    }
    if (node.type !== "TemplateElement") return [];
    return [...textOf(node).matchAll(/\b(?:insert into|update|delete from) (\w+)/g)].flatMap(([, name]) =>
      tables.filter((table) => table === name),
    );
  });
}

/** The patterns of the list in docs/architecture.md, such as `src/sources/parse*.ts`. */
function pureFiles(): string[] {
  const text = readFileSync(join(packageRoot, document), "utf8");
  const list = /<!-- pure -->([^]*?)<!-- \/pure -->/.exec(text)![1]!;
  return [...list.matchAll(/`(src\/[^`]+)`/g)].flatMap(([, pattern]) => {
    const found = files.filter((file) => globOf(pattern!).test(file));
    if (found.length === 0) throw new Error(`No file is named ${pattern}.`);
    return found;
  });
}

/** A pattern in which `*` is any part of a name, and `{a,b}` one of two. */
function globOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll(".", "\\.")
    .replaceAll("*", "[^/]*")
    .replace(/\{([^}]*)\}/g, (_all, names: string) => `(?:${names.replaceAll(",", "|")})`);
  return new RegExp(`^${source}$`);
}

/** The catalogue reads its files once, and says the same ever after. */
const pureEnough = /^src\/texts\//;

/** What a file does or imports that is not pure, also in what it imports. */
function effectsOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file) || pureEnough.test(file)) return [];
  seen.add(file);
  const own = ownEffects(readSyntax(file).tree);
  const inherited = imports
    .filter(({ from }) => from === file)
    .flatMap(({ to }) => effectsOf(to, seen).map((effect) => `${to}: ${effect}`));
  return [...own, ...inherited];
}

const impureModules =
  /^(?:node:(?!path$|url$|util$|buffer$|crypto$|string_decoder$)|kysely$|pg$|ioredis$|bullmq$|undici$|@electric-sql\/)/;
const impureCalls = /^(?:setTimeout|setInterval|setImmediate|fetch)$/;

function ownEffects(tree: Node): string[] {
  return [...walk(tree)].flatMap(({ node }) => {
    if (node.type === "ImportDeclaration") {
      const name = String((node["source"] as Node)["value"]);
      const names = (node["specifiers"] as Node[]).map((one) =>
        String((one["imported"] as Node | undefined)?.["name"]),
      );
      if (name === "node:net" && names.every((one) => /^(?:isIP|BlockList)/.test(one))) return [];
      return isTypeOnly(node) || !impureModules.test(name) ? [] : [`imports ${name}`];
    }
    const called = node.type === "NewExpression" || node.type === "CallExpression" ? (node["callee"] as Node) : null;
    if (called?.["name"] === "Date" && (node["arguments"] as Node[]).length === 0) return ["new Date()"];
    if (called?.type === "Identifier" && impureCalls.test(String(called["name"]))) return [String(called["name"])];
    if (node.type !== "MemberExpression") return [];
    const { object, property } = node as unknown as { object: Node; property: Node };
    const name = `${String(object["name"])}.${String(property["name"])}`;
    return /^(?:process\.|(?:Date|performance)\.now$|Math\.random$|Temporal\.Now$)/.test(name) ? [name] : [];
  });
}

function textOf(node: Node): string {
  return (node["value"] as { raw: string }).raw;
}

/** The folders of the table in docs/architecture.md, from the top. */
function order(): string[] {
  const text = readFileSync(join(packageRoot, document), "utf8");
  const table = /<!-- order -->([^]*?)<!-- \/order -->/.exec(text)![1]!;
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name!);
}

function textIn(file: string): string {
  return readFileSync(join(packageRoot, file), "utf8");
}

function takesWholeApp(text: string): boolean {
  return /:\s*App\b(?!\[)/.test(text);
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
  return [...walk(tree)].flatMap(({ node }) => {
    const source = node.type !== "TSImportType" && isNode(node["source"]) ? String(node["source"]["value"]) : "";
    if (!source.startsWith(".") || isTypeOnly(node) || !source.endsWith(".ts")) return [];
    return [{ from: file, to: normalize(join(dirname(file), source)) }];
  });
}

function isTypeOnly(node: Node): boolean {
  const kinds = ((node["specifiers"] ?? []) as Node[]).map((one) => one["importKind"] ?? one["exportKind"]);
  return node["importKind"] === "type" || (kinds.length > 0 && kinds.every((kind) => kind === "type"));
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
