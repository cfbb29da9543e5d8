import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../src/package-root.ts";
import { calledBy, isNode, parseSyntax, readSyntax, walk, type Node } from "../support/syntax.ts";

/*
 * Codes below, words above: the domain holds codes with data, and the catalogue (templates/languages) has the words. A sentence
 * in the domain would be stored, compared and never translated.
 */

/** Folders that render for people. Everything else is the domain. */
const surfaces = ["src/cli/", "src/web/", "src/texts/"];

/** What also says words: the emails, and the app, which opens the publication's language. */
const speakers = ["src/render/", "src/notices/", "src/alerts/watch.ts", "src/app.ts"];

/** Sentences that may stay in the domain, by file and beginning, each with the reason. */
const allowedSentences: Record<string, string> = {
  "src/config/saved-settings.ts: # Written by the Setup page.":
    "The first line of settings.env, for those who edit the file.",
  ...Object.fromEntries(
    [
      "Throttling failure: Maximum sending rate exceeded\\b",
      "Throttling failure: Daily message quota exceeded\\b",
      "Domain \\S+ is not allowed to send: recipient limit exceeded\\b",
      "Authentication failed: Maximum credits exceeded\\b",
      "Your account reached its email quota limit\\b",
      "Daily (?:user|SMTP relay) sending (?:limit|quota) exceeded\\b",
    ].map((reply) => [`src/mail/quota.ts: ${reply}`, "A relay's reply, which has no code of its own."]),
  ),
};

/** Texts of other programs that code may match, by file and text, each with the reason. */
const allowedMatches: Record<string, string> = {
  "src/base/engine-watch.ts: message": "Some errors of pg, ioredis and BullMQ have no code.",
  "src/web/invalid.ts: message": "A check of a schema names its fault by a code, which zod calls the message.",
};

const files = ["src", "jobs"].flatMap((folder) =>
  readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file))
    .toSorted(),
);
const domain = files.filter((file) => !surfaces.some((folder) => file.startsWith(folder)));

test("the domain has codes and no sentences for people", () => {
  const found = domain.flatMap((file) => sentencesIn(readSyntax(file).tree).map((text) => `${file}: ${text}`));
  expect(without(found, allowedSentences)).toEqual([]);
});

test("only surfaces and emails turn codes into words", () => {
  const found = domain.filter((file) => !speakers.some((one) => file.startsWith(one)) && importsWords(file));
  expect(found).toEqual([]);
});

test("no code compares or matches a sentence", () => {
  const found = files.flatMap((file) => matchesIn(readSyntax(file).tree).map((text) => `${file}: ${text}`));
  expect(without(found, allowedMatches)).toEqual([]);
});

test.each([
  ["const detail = 'Paused because the relay is down.';", ["Paused because the relay is down."]],
  ["const detail = `Edition ${name} has no articles`;", ["Edition … has no articles"]],
  ["throw new Refusal(409, 'Nobody is listening.')", ["Nobody is listening."]],
  ["throw new Refusal(409, 'edition_exists', { name })", []],
  ["throw new Error('The state machine has no such edge.')", []],
  ["log.warn({ reason }, 'The queue does not answer, waiting.')", []],
  ["sql`SELECT * FROM editions WHERE closed.`", []],
  ["z.string().describe('The date, with a number for extra editions.')", []],
])("sentences in %s", (source, found) => {
  expect(sentencesIn(parseSyntax(source))).toEqual(found);
});

test.each([
  ["if (reason.startsWith('Paused because')) {}", ["Paused because"]],
  ["if (/Paused because/.test(reason)) {}", ["Paused because"]],
  ["if (error.message === code) {}", ["message"]],
  ["if (error.message.includes('closed')) {}", ["message"]],
  ["if (reason === 'Held for approval') {}", ["Held for approval"]],
  ["switch (reason) { case 'Held for approval': }", ["Held for approval"]],
  ["if (code === 'edition_exists') {}", []],
])("matches in %s", (source, found) => {
  expect(matchesIn(parseSyntax(source))).toEqual(found);
});

/** Whether a file imports the catalogue, and not only its types. */
function importsWords(file: string): boolean {
  return (readSyntax(file).tree["body"] as Node[]).some((node) => {
    const source = node.type === "ImportDeclaration" ? String((node["source"] as Node)["value"]) : "";
    const names = (node["specifiers"] ?? []) as Node[];
    const types = node["importKind"] === "type" || names.every((one) => one["importKind"] === "type");
    return source.includes("/texts/") && !types;
  });
}

/** What was found and is not in the list, and what the list has although it is no longer found. */
function without(found: readonly string[], allowed: Record<string, string>): string[] {
  const keys = Object.keys(allowed);
  return [
    ...found.filter((text) => !keys.some((key) => text.startsWith(key))),
    ...keys.filter((key) => !found.some((text) => text.startsWith(key))).map((key) => `no longer there: ${key}`),
  ];
}

/** Four words that begin or end like a sentence, or two that do both. */
function isSentence(text: string): boolean {
  const words = text.match(/[\p{L}’'…-]+/gu) ?? [];
  // Names in capital letters are codes.
  if (!/\p{Ll}/u.test(text) || !/\p{L}{2,} \p{L}/u.test(text)) return false;
  const begins = /^["“'(]?(?:\p{Lu}|…)/u.test(text);
  const ends = /[.!?]["”']?\s*$/.test(text);
  return (words.length >= 4 && (begins || ends)) || (words.length >= 2 && begins && ends);
}

/** Sentences that the code of a file has, but those for programmers. */
function sentencesIn(tree: Node): string[] {
  return [...walk(tree)]
    .filter(({ node, above }) => !above.some((one, i) => isForProgrammers(one, above[i + 1] ?? node)))
    .map(({ node, above }) => (above.at(-1)?.type === "TemplateLiteral" ? "" : textOf(node)))
    .filter(isSentence);
}

const logMethods = new Set(["fatal", "error", "warn", "info", "debug", "trace"]);
/** Errors that are defects, and the documentation of schemas, settings and metrics, which is in English only. */
const programmers = new Set("Error TypeError RangeError describe meta setting optional gauge counter many".split(" "));
const described = new Set(["help", "description"]);

function isForProgrammers(node: Node, inside: Node | undefined): boolean {
  if (node.type === "TaggedTemplateExpression") return nameOf(node["tag"]).startsWith("sql");
  if (node.type === "Property") return described.has(nameOf(node["key"])) && node["value"] === inside;
  if (node.type.startsWith("TS") && node.type.includes("Type")) return true;
  const called = calledBy(node);
  const callee = node["callee"];
  const method = isNode(callee) && callee.type === "MemberExpression";
  return programmers.has(called) || (method && logMethods.has(called));
}

const matchers = new Set([
  "startsWith",
  "endsWith",
  "includes",
  "match",
  "matchAll",
  "test",
  "search",
  "indexOf",
  "split",
]);

/** Sentences that code compares or matches, and `message` where it compares or matches an error's. */
function matchesIn(tree: Node): string[] {
  return [...walk(tree)].flatMap(({ node }) => {
    if (node.type === "SwitchCase") return [node["test"]].map(textOf).filter(isProse);
    if (node.type === "BinaryExpression" && /^[!=]==?$/.test(String(node["operator"]))) {
      return compared([node["left"], node["right"]]);
    }
    if (!matchers.has(calledBy(node))) return [];
    const object = (node["callee"] as Node)["object"];
    return compared([object, ...(node["arguments"] as Node[])]);
  });
}

function compared(sides: readonly unknown[]): string[] {
  const others = sides.filter((side) => nameOf(side) !== "message" || !isMember(side));
  if (others.some((side) => textOf(side) === "" && isNode(side) && side.type === "Literal" && !isRegex(side)))
    return [];
  const message = others.length < sides.length && others.length > 0 ? ["message"] : [];
  return [...message, ...others.map(textOf).filter(isProse)].slice(0, 1);
}

/** Three words, or two of which the first begins like a sentence. */
function isProse(text: string): boolean {
  if (!/\p{Ll}/u.test(text)) return false;
  return (
    /^["\p{L}’'…,;-]+( ["\p{L}’'…,;-]+){2,}/u.test(text) || /^\p{Lu}\p{Ll}+ \p{Ll}+/u.test(text) || isSentence(text)
  );
}

function isMember(side: unknown): boolean {
  return isNode(side) && side.type === "MemberExpression";
}

function isRegex(node: Node): boolean {
  return node["regex"] !== undefined && node["regex"] !== null;
}

function nameOf(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "Identifier") return String(node["name"]);
  if (node.type === "MemberExpression") return nameOf(node["object"]) === "sql" ? "sql" : nameOf(node["property"]);
  return "";
}

/** Of a literal, a regular expression or a template, with an ellipsis for each value. */
function textOf(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "Literal" && isRegex(node))
    return (node["regex"] as { pattern: string }).pattern.replace(/^\^/, "");
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : "";
  if (node.type !== "TemplateLiteral") return "";
  return (node["quasis"] as Node[]).map((quasi) => (quasi["value"] as { cooked: string }).cooked).join("…");
}
