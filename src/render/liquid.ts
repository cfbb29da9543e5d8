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
