import { Refusal } from "../base/errors.ts";
import type { ImportAnswer } from "./answers.ts";
import { answer, type Context } from "./context.ts";
import { exitCodes } from "./failure.ts";
import { counted, openInput, peek } from "./input.ts";
import { startProgress } from "./progress.ts";
import { plural } from "./format.ts";

export interface ImportFlags {
  strict?: boolean;
  dryRun?: boolean;
  confirmed?: boolean;
  createTags?: boolean;
  map?: string[];
}

/** A list of a million readers takes several minutes. */
const timeoutMs = 60 * 60_000;

/**
 * Sends a list to the server and prints why lines were refused.
 * @returns the exit code: 1 if `--strict` refused the whole list
 */
export async function importList(
  { terminal, client }: Context,
  file: string,
  { json, ...flags }: ImportFlags & { json?: boolean },
): Promise<number> {
  const server = client();
  const input = openInput(file, terminal);
  const { first, whole } = await peek(input.stream);
  const type = first === "{" ? "application/x-ndjson" : "text/csv";
  const progress = startProgress(terminal, input.name);
  const bytes = counted(whole, (sent) => progress.show(sent, input.size ?? 0, `${kilobytes(sent)} sent`));
  try {
    const report = await server.ask<ImportAnswer>("POST", "/subscribers/import", {
      query: { ...flags },
      body: { type, bytes },
      timeoutMs,
    });
    progress.end();
    answer(terminal, { json: json ?? false }, report, (value) => reportText(value, flags.dryRun ?? false));
    return exitCodes.done;
  } catch (error) {
    progress.end();
    if (!isReport(error)) throw error;
    if (json) terminal.out(JSON.stringify(error.details, null, 2));
    else for (const line of refusedLines(error.details)) terminal.out(line);
    terminal.err(strictText(error.details.refusedCount));
    return exitCodes.failed;
  }
}

export function reportText(report: ImportAnswer, dryRun: boolean): string {
  const { lines, added, updated, unchanged, refusedCount } = report;
  const sum = `${plural(lines, "line")}: ${added} added, ${updated} updated, ${unchanged} unchanged, ${refusedCount} refused.`;
  return [...refusedLines(report), dryRun ? `${sum} This was a dry run. Nothing was changed.` : sum].join("\n");
}

function strictText(refused: number): string {
  const lines = plural(refused, "line was", "lines were");
  return `${lines} refused, so nothing was imported. Correct the list, or import it without --strict.`;
}

type Refused = Pick<ImportAnswer, "refused" | "refusedCount">;

function refusedLines({ refused, refusedCount }: Refused): string[] {
  const shown = refused.map(({ line, reason }) => `Line ${line}: ${reason}`);
  const more = refusedCount - refused.length;
  return more > 0 ? [...shown, `${plural(more, "more line was", "more lines were")} refused.`] : shown;
}

function isReport(error: unknown): error is Refusal & { details: Refused } {
  return error instanceof Refusal && Array.isArray(error.details["refused"]);
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000).toLocaleString("en")} kB`;
}
