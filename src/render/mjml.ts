import { existsSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { ErrorCode } from "../texts/catalogue.ts";
import type { TemplateFile } from "./types.ts";

/**
 * Turns MJML (after Liquid) into HTML without web fonts and indentation. `mj-include` reads from the template's own
 * folder only, and included files are not rendered by Liquid. Throws `Refusal` 422 with file and line.
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
    const reason = (first === null ? reasonOf(error) : `${first.tagName}: ${first.message}`).replace(/\.$/, "");
    const line = first?.line === undefined ? null : templateLine(mjml, first.line, file);
    throw refusal("template_mjml_invalid", file, line, { reason });
  }
  return html.replace(/(?<![ \t])[ \t]*\n\s*/g, "\n").trim() + "\n";
}

/** MJML's parser closes unclosed tags without an error, and the email then looks wrong. */
function checkNesting(mjml: string, file: TemplateFile): void {
  const open: { tag: string; at: number }[] = [];
  const lineAt = (at: number): number | null => lineOfOffset(mjml, at, file);
  const notClosed = ({ tag, at }: { tag: string; at: number }): Refusal =>
    refusal("template_tag_not_closed", file, lineAt(at), { tag });
  for (const { tag, whole, index } of tagsOf(mjml)) {
    if (whole.endsWith("/>")) continue;
    if (!whole.startsWith("</")) {
      open.push({ tag, at: index });
      continue;
    }
    const last = open.pop();
    if (last === undefined) throw refusal("template_tag_not_opened", file, lineAt(index), { tag });
    if (last.tag !== tag) throw notClosed(last);
  }
  const left = open.pop();
  if (left !== undefined) throw notClosed(left);
}

/** MJML drops includes that it cannot read without an error, and the email then lacks a part. */
function checkIncludes(mjml: string, file: TemplateFile): void {
  const folder = dirname(file.path);
  for (const { tag, whole, index } of tagsOf(mjml)) {
    if (tag !== "mj-include" || whole.startsWith("</")) continue;
    const path = /\bpath=["']([^"']*)["']/.exec(whole)?.[1] ?? "";
    const target = resolve(folder, path);
    if (path !== "" && !isAbsolute(path) && !relative(folder, target).startsWith("..") && existsSync(target)) continue;
    throw refusal("template_include_invalid", file, lineOfOffset(mjml, index, file), { path });
  }
}

/** MJML's tags in order; `whole` is from `<` to `>`. */
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

/** The template's line that could have produced a line of the rendered MJML; null if there is none. */
function templateLine(mjml: string, rendered: number, file: TemplateFile): number | null {
  const text = mjml.split("\n")[rendered - 1]?.trim() ?? "";
  const found = file.source.split("\n").findIndex((line) => couldHaveMade(line.trim(), text));
  return found < 0 ? null : found + 1;
}

function couldHaveMade(template: string, rendered: string): boolean {
  if (template === "") return false;
  // Every second part is inside braces.
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

function refusal(code: ErrorCode, file: TemplateFile, line: number | null, details: Record<string, string>): Refusal {
  return new Refusal(422, code, { file: file.path, line: line ?? "none", ...details });
}
