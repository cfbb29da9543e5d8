import { randomBytes } from "node:crypto";
import { Liquid, LiquidError } from "liquidjs";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { TemplateFile } from "./types.ts";

/**
 * Renders a Liquid template with known values only. Unknown names and filters are errors, partials come from `folder`.
 * With `escape`, every value is escaped for HTML. Throws `Refusal` 422 with file and line.
 */
export async function renderLiquid(
  file: TemplateFile,
  options: { folder: string; escape: boolean; values: object },
): Promise<string> {
  const engine = new Liquid({
    root: options.folder,
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    lenientIf: true,
    ...(options.escape ? { outputEscape: "escape" as const } : {}),
  });
  try {
    const rendered: unknown = await engine.parseAndRender(file.source, options.values);
    return String(rendered);
  } catch (error) {
    const line = LiquidError.is(error) ? lineOf(error) : null;
    const reason = reasonOf(error).split(/, (?:file|line):/, 1)[0]!;
    throw new Refusal(422, "template_liquid_invalid", { file: file.path, line: line ?? "none", reason });
  }
}

function lineOf(error: LiquidError): number | null {
  const position = error.token.getPosition();
  return position[0] ?? null;
}

/**
 * Placeholders that stand for values while a template is rendered: ASCII letters and digits only, so that neither
 * Liquid nor MJML nor an attribute changes them, with a nonce, so that no text can contain one.
 */
export interface Sentinels {
  /** The placeholder for a name such as `article.3.title`. */
  mark(name: string): string;
  /** Splits the rendered template at its placeholders. */
  split(rendered: string): Token[];
}

export type Token = { text: string } | { name: string };

export function createSentinels(): Sentinels {
  const nonce = randomBytes(12).toString("hex");
  const names: string[] = [];
  const start = `zq${nonce}n`;
  const end = "qz";
  return {
    mark(name) {
      names.push(name);
      return `${start}${names.length - 1}${end}`;
    },
    split(rendered) {
      const [before = "", ...rest] = rendered.split(start);
      const tokens = rest.flatMap((part): Token[] => {
        const at = part.indexOf(end);
        return [{ name: names[Number(part.slice(0, at))] ?? "" }, { text: part.slice(at + end.length) }];
      });
      return [{ text: before }, ...tokens].filter((token) => !("text" in token) || token.text !== "");
    },
  };
}
