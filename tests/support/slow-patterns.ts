import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createContext, Script } from "node:vm";
import { parseRegExpLiteral, visitRegExpAST, type AST } from "@eslint-community/regexpp";
import { packageRoot } from "../../src/package-root.ts";
import { isNode, readSyntax, type Node } from "./syntax.ts";

/** A regular expression in the code; `pattern` is null where it is only known at run time. */
export interface Written {
  /** `src/mail/verdict.ts:95` */
  place: string;
  pattern: RegExp | null;
}

/** Every regular expression in our code: literals, and those made of constants of the same file. */
export function writtenPatterns(): Written[] {
  const folders = ["src", "jobs"];
  const paths = folders.flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.[jt]s$/.test(name))
      .map((name) => join(folder, name)),
  );
  return paths.flatMap(patternsIn);
}

/** @param path from the project's root */
function patternsIn(path: string): Written[] {
  const { tree, placeOf } = readSyntax(path);
  const nodes = nodesOf(tree);
  const constants = new Map(
    nodes
      .filter(({ type, id }) => type === "VariableDeclarator" && isNode(id) && id.type === "Identifier")
      .map((node) => [String((node["id"] as Node)["name"]), node["init"] as Node | null]),
  );
  const written: Written[] = [];
  for (const node of nodes) {
    const literal = node["regex"] as { pattern: string; flags: string } | undefined;
    if (node.type === "Literal" && literal) {
      written.push({ place: placeOf(node), pattern: new RegExp(literal.pattern, literal.flags) });
    }
    const source = sourceOfCall(node);
    if (!source) continue;
    const [pattern, flags] = source.map((part) => constantText(part, constants));
    written.push({
      place: placeOf(node),
      pattern: pattern == null || flags == null ? null : new RegExp(pattern, flags),
    });
  }
  return written;
}

function nodesOf(node: Node, found: Node[] = []): Node[] {
  found.push(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) value.forEach((one) => isNode(one) && nodesOf(one, found));
    else if (isNode(value)) nodesOf(value, found);
  }
  return found;
}

/** The source and the flags of `new RegExp(…)`, or of `text.match("…")`, which makes one of a text. */
function sourceOfCall(node: Node): [Node, Node] | null {
  if (node.type !== "CallExpression" && node.type !== "NewExpression") return null;
  const callee = node["callee"] as Node;
  const [source, flags] = node["arguments"] as Node[];
  const none: Node = { type: "Literal", start: node.start, value: "" };
  if (!source) return null;
  if (callee.type === "Identifier" && callee["name"] === "RegExp") return [source, flags ?? none];
  const method = callee.type === "MemberExpression" ? (callee["property"] as Node)["name"] : null;
  const takesPattern = method === "match" || method === "matchAll" || method === "search";
  return takesPattern && (source.type === "TemplateLiteral" || typeof source["value"] === "string")
    ? [source, none]
    : null;
}

/** What a text made of literals and constants says; null when it depends on anything else. */
function constantText(node: Node | null | undefined, constants: Map<string, Node | null>): string | null {
  if (!node) return null;
  if (node.type === "Literal" && typeof node["value"] === "string") return node["value"];
  if (node.type === "Identifier") return constantText(constants.get(String(node["name"])), constants);
  if (node.type === "BinaryExpression" && node["operator"] === "+")
    return joined([node["left"] as Node, node["right"] as Node], constants);
  if (node.type !== "TemplateLiteral") return null;
  const values = node["expressions"] as Node[];
  const texts = (node["quasis"] as Node[]).map(({ value }) => (value as { cooked: string }).cooked);
  const parts = texts.flatMap((value, i) => [{ type: "Literal", start: 0, value }, ...(values[i] ? [values[i]] : [])]);
  return joined(parts, constants);
}

function joined(parts: readonly Node[], constants: Map<string, Node | null>): string | null {
  const texts = parts.map((part) => constantText(part, constants));
  return texts.includes(null) ? null : texts.join("");
}

const limitMs = 100;
const screenShare = 5;
/** A fifth of the text within this time is within `limitMs` for the whole, even in cubic time (125 × 0.75 ms). */
const screenMs = 0.75;

/**
 * A text that the pattern takes longer than 100 ms to look through, in short; null when none was found.
 * @param length UTF-16 units of the texts it is given
 */
export function slowTextFor(pattern: RegExp, length = 100_000): string | null {
  for (const { prefix, pump, suffix } of attacks(pattern)) {
    const textOf = (units: number): string => prefix + pump.repeat(Math.max(1, units / pump.length)) + suffix;
    const short = textOf(length / screenShare);
    if (timeOf(pattern, short).wallMs < screenMs || timeOf(pattern, short).wallMs < screenMs) continue;
    const long = textOf(length);
    if (isSlow(pattern, long)) {
      const shown = pump.length > 40 ? `${pump.slice(0, 40)}…` : pump;
      return `${JSON.stringify(prefix)} + ${JSON.stringify(shown)} × ${Math.floor(length / pump.length)} + ${JSON.stringify(suffix)}`;
    }
  }
  return null;
}

/** Processor time counts: on a busy machine anything takes long by the clock. */
function isSlow(pattern: RegExp, text: string): boolean {
  for (const withinMs of [3 * limitMs, 30 * limitMs]) {
    const { cpuMs, ended } = timeOf(pattern, text, withinMs);
    if (cpuMs > limitMs) return true;
    if (ended) return false;
  }
  return false;
}

const sandbox = createContext({ text: "", pattern: /x/ });
const sweep = new Script("text.replace(pattern, '')");

/** How long it takes to find all matches in a text; it is ended after `withinMs`. */
function timeOf(pattern: RegExp, text: string, withinMs = limitMs): { wallMs: number; cpuMs: number; ended: boolean } {
  const flags = pattern.flags.includes("g") ? pattern.flags : `${pattern.flags}g`;
  Object.assign(sandbox, { text, pattern: new RegExp(pattern.source, flags) });
  const cpu = process.cpuUsage();
  const started = performance.now();
  let ended = true;
  try {
    sweep.runInContext(sandbox, { timeout: withinMs });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    ended = false;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - started, cpuMs: (user + system) / 1_000, ended };
}

interface Attack {
  prefix: string;
  pump: string;
  suffix: string;
}

type Unit = AST.Character | AST.CharacterSet | AST.CharacterClass | AST.ExpressionCharacterClass;

/** Repetitions of at least so many can cost time. */
const manyTimes = 20;
const usual = ["a", "A", "0", " ", "\t", "\n", "\v", "\0", "-", "_", ".", '"', "<", "é", "한", "\ud800", "👍"];

/**
 * Texts that make a backtracking matcher try again and again: what each repetition repeats, and each beginning of the
 * pattern, many times over, behind what leads there and before what then does not fit.
 */
function* attacks(pattern: RegExp): Generator<Attack> {
  const { pattern: root } = parseRegExpLiteral(pattern);
  if (!repeats(root)) return;
  const letters = lettersOf(root, pattern.flags);
  const seen = new Set<string>();
  for (const { prefix, pump, within } of pumps(root.alternatives, "", letters)) {
    const misfits = letters.all.filter((letter) => !within.includes(letter)).slice(0, 3);
    for (const suffix of new Set(["", "\0", "\0\n\0", ...misfits])) {
      const key = JSON.stringify([prefix, pump, suffix]);
      if (pump === "" || seen.has(key)) continue;
      seen.add(key);
      yield { prefix, pump, suffix };
    }
  }
}

function repeats(root: AST.Pattern): boolean {
  let found = false;
  visitRegExpAST(root, { onQuantifierEnter: ({ max }) => void (found ||= max > 1) });
  return found;
}

interface Letters {
  /** One letter for each set of parts of the pattern that it can stand for. */
  all: string[];
  /** Those that a part matches; the first stands for most parts. */
  of(unit: Unit): string[];
}

function lettersOf(root: AST.Pattern, flags: string): Letters {
  const units: AST.Node[] = [];
  const named: string[] = [];
  const isInside = ({ parent }: AST.Node): boolean => parent?.type.includes("Class") ?? false;
  visitRegExpAST(root, {
    onCharacterEnter: (node) => {
      named.push(String.fromCodePoint(node.value));
      if (!isInside(node)) units.push(node);
    },
    onCharacterSetEnter: (node) => void (isInside(node) || units.push(node)),
    onCharacterClassEnter: (node) => void (isInside(node) || units.push(node)),
    onExpressionCharacterClassEnter: (node) => void (isInside(node) || units.push(node)),
  });
  const mode = flags.replace(/[^isuv]/g, "");
  const tests = new Map(units.map((unit) => [unit.raw, new RegExp(`^(?:${unit.raw})$`, mode)]));
  const bySign = new Map<string, { letter: string; count: number }>();
  for (const letter of [...named, ...usual]) {
    const fits = [...tests.values()].map((one) => one.test(letter));
    const sign = fits.map(Number).join("");
    if (!bySign.has(sign)) bySign.set(sign, { letter, count: fits.filter(Boolean).length });
  }
  const all = [...bySign.values()].sort((a, b) => b.count - a.count).map(({ letter }) => letter);
  return { all, of: ({ raw }) => all.filter((letter) => tests.get(raw)!.test(letter)) };
}

/** What can be repeated, with what has to stand before it, and the letters that would go on with it. */
function* pumps(
  alternatives: readonly AST.Alternative[],
  prefix: string,
  letters: Letters,
): Generator<{ prefix: string; pump: string; within: string[] }> {
  for (const { elements } of alternatives) {
    for (const [i, element] of elements.entries()) {
      const before = elements.slice(0, i);
      const there = prefix + before.map((one) => sample(one, letters, false)).join("");
      for (const full of [false, true]) {
        const start = [...before, element].map((one) => sample(one, letters, full)).join("");
        yield { prefix, pump: start, within: [] };
      }
      const repeated = element.type === "Quantifier" ? element : null;
      const inner = repeated ? repeated.element : element;
      if (repeated && repeated.max >= manyTimes) {
        const within = isUnit(inner) ? letters.of(inner) : [];
        for (const pump of samples(inner, letters)) {
          yield { prefix: there, pump, within };
          // One less than what is asked for, again and again.
          if (repeated.max !== Infinity && within.length > 0)
            yield { prefix: there, pump: pump.repeat(Math.max(1, repeated.max - 1)) + " ", within };
        }
      }
      if (inner.type === "Group" || inner.type === "CapturingGroup") yield* pumps(inner.alternatives, there, letters);
      if (inner.type === "Assertion" && "alternatives" in inner) yield* pumps(inner.alternatives, there, letters);
    }
  }
}

function isUnit(node: AST.Node): node is Unit {
  return node.type.startsWith("Character") || node.type === "ExpressionCharacterClass";
}

/** Some texts that a part matches: of each of its alternatives one short and one long. */
function samples(node: AST.Element, letters: Letters): Set<string> {
  if (isUnit(node)) return new Set(letters.of(node));
  if (node.type !== "Group" && node.type !== "CapturingGroup") return new Set([sample(node, letters, true)]);
  return new Set(
    node.alternatives.flatMap(({ elements }) => [
      ...[false, true].map((full) => elements.map((one) => sample(one, letters, full)).join("")),
      ...elements.flatMap((one, i) => (i === 0 && isUnit(one) ? letters.of(one) : [])),
    ]),
  );
}

/** A text that a part matches. @param full with one of what could be left out */
function sample(node: AST.Element, letters: Letters, full: boolean): string {
  if (isUnit(node)) return letters.of(node)[0] ?? "";
  switch (node.type) {
    case "Group":
    case "CapturingGroup":
      return (node.alternatives[0]?.elements ?? []).map((one) => sample(one, letters, full)).join("");
    case "Quantifier":
      return sample(node.element, letters, full).repeat(Math.max(node.min, full && node.max > 0 ? 1 : 0));
    default:
      return "";
  }
}
