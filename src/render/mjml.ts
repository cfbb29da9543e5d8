import { existsSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { TemplateFile } from "./types.ts";

/**
 * MJML (already through Liquid) to HTML, strictly validated, without web fonts, its indentation taken out. `mj-include`
 * reads from the template's own folder only, and includes do not go through Liquid. Throws `Refusal` 422 with file and
 * line.
 */
export async function mjmlToHtml(mjml: string, file: TemplateFile): Promise<string> {
  checkNesting(mjml, file);
  checkIncludes(mjml, file);
  // Loaded with the first email: it takes longer than any other part of a start.
  const { default: mjml2html } = await import("mjml");
  let html: string;
  try {
    ({ html } = await mjml2html(mjml, {
      fonts: {},
      keepComments: false,
      validationLevel: "strict",
      ignoreIncludes: false,
      filePath: file.path,
      actualPath: file.path,
    }));
  } catch (error) {
    const first = firstError(error);
    if (first === null) throw refusal(file, null, reasonOf(error));
    throw refusal(
      file,
      first.line === undefined ? null : templateLine(mjml, first.line, file),
      `${first.tagName}: ${first.message}`,
    );
  }
  return html.replace(/(?<![ \t])[ \t]*\n\s*/g, "\n").trim() + "\n";
}

/** MJML's parser closes forgotten tags by itself, and the mail then looks wrong without an error. */
function checkNesting(mjml: string, file: TemplateFile): void {
  const open: { tag: string; at: number }[] = [];
  const lineAt = (at: number): number | null => lineOfOffset(mjml, at, file);
  for (const { tag, whole, index } of tagsOf(mjml)) {
    if (whole.endsWith("/>")) continue;
    if (!whole.startsWith("</")) {
      open.push({ tag, at: index });
      continue;
    }
    const last = open.pop();
    if (last === undefined) throw refusal(file, lineAt(index), `</${tag}> closes nothing`);
    if (last.tag !== tag) throw refusal(file, lineAt(last.at), `<${last.tag}> is not closed before </${tag}>`);
  }
  const left = open.pop();
  if (left !== undefined) throw refusal(file, lineAt(left.at), `<${left.tag}> is never closed`);
}

/** MJML leaves out what it cannot or may not include, and the mail then lacks a part without an error. */
function checkIncludes(mjml: string, file: TemplateFile): void {
  const folder = dirname(file.path);
  for (const { tag, whole, index } of tagsOf(mjml)) {
    if (tag !== "mj-include" || whole.startsWith("</")) continue;
    const path = /\bpath=["']([^"']*)["']/.exec(whole)?.[1] ?? "";
    const target = resolve(folder, path);
    if (path !== "" && !isAbsolute(path) && !relative(folder, target).startsWith("..") && existsSync(target)) continue;
    const reason = `mj-include must name a file in the folder of the template, not "${path}"`;
    throw refusal(file, lineOfOffset(mjml, index, file), reason);
  }
}

/** MJML's own tags, in their order; `whole` is from `<` to `>`. */
function* tagsOf(mjml: string): Generator<{ tag: string; whole: string; index: number }> {
  const start = /<\/?(mj[\w-]*)/g;
  for (let found; (found = start.exec(mjml)) !== null;) {
    const end = mjml.indexOf(">", found.index) + 1;
    if (end === 0) return;
    yield { tag: found[1]!, whole: mjml.slice(found.index, end), index: found.index };
    start.lastIndex = end;
  }
}

function lineOfOffset(mjml: string, at: number, file: TemplateFile): number | null {
  return templateLine(mjml, mjml.slice(0, at).split("\n").length, file);
}

/** The line of the template that a line of the rendered MJML came from; null if no line of it fits. */
function templateLine(mjml: string, rendered: number, file: TemplateFile): number | null {
  const text = mjml.split("\n")[rendered - 1]?.trim() ?? "";
  const found = file.source.split("\n").findIndex((line) => couldHaveMade(line.trim(), text));
  return found < 0 ? null : found + 1;
}

function couldHaveMade(template: string, rendered: string): boolean {
  if (template === "") return false;
  // Every second part stands between the braces.
  const literals = template.split(/\{[{%]|[}%]\}/).filter((_part, i) => i % 2 === 0);
  if (literals.every((part) => part.trim() === "")) return false;
  const [first = "", ...rest] = literals;
  const last = rest.pop();
  if (last === undefined) return rendered === first;
  if (!rendered.startsWith(first)) return false;
  let at = first.length;
  for (const literal of rest) {
    const found = rendered.indexOf(literal, at);
    if (found === -1) return false;
    at = found + literal.length;
  }
  return rendered.length - last.length >= at && rendered.endsWith(last);
}

function firstError(error: unknown): { line?: number; tagName: string; message: string } | null {
  if (!(error instanceof Error) || !("errors" in error) || !Array.isArray(error.errors)) return null;
  const [first] = error.errors as { line?: number; tagName: string; message: string }[];
  return first ?? null;
}

function refusal(file: TemplateFile, line: number | null, reason: string): Refusal {
  const where = line === null ? "" : `, line ${line},`;
  return new Refusal(422, `The mail template ${file.path}${where} is not valid MJML: ${reason.replace(/\.$/, "")}.`);
}
