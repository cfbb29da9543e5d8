import type { ImportAnswer } from "../web/api/answers.ts";
import type { Client, RequestOptions } from "./client.ts";
import { answer, type Context } from "./context.ts";
import { ApiError, exitCodes } from "./failure.ts";
import { plural } from "./format.ts";
import { counted, openInput, peek } from "./input.ts";
import { startProgress } from "./terminal.ts";

/** A list of a million readers takes several minutes. */
const timeoutMs = 60 * 60_000;

export interface ListFlags {
  json?: boolean;
  strict?: boolean;
  dryRun?: boolean;
}

/**
 * Sends a list to the server and prints the report, or why lines were refused.
 * @returns the exit code: 1 if `--strict` refused the whole list
 */
export async function sendList<Report extends Refused>(
  { terminal, client }: Context,
  file: string,
  { json, ...flags }: ListFlags,
  {
    send,
    text,
  }: {
    send: (server: Client, list: RequestOptions) => Promise<Report>;
    text: (report: Report) => string;
  },
): Promise<number> {
  const server = client();
  const input = openInput(file, terminal);
  const { first, whole } = await peek(input.stream);
  const type = first === "{" ? "application/x-ndjson" : "text/csv";
  const progress = startProgress(terminal, input.name);
  const bytes = counted(whole, (sent) => progress.show(sent, input.size ?? 0, `${kilobytes(sent)} sent`));
  try {
    const report = await send(server, {
      query: { ...flags },
      body: { type, bytes },
      timeoutMs,
    });
    progress.end();
    answer(terminal, { json: json ?? false }, report, text);
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

function strictText(refused: number): string {
  const lines = plural(refused, "line was", "lines were");
  return `${lines} refused, so nothing was imported. Correct the list, or import it without --strict.`;
}

export type Refused = Pick<ImportAnswer, "refused" | "refusedCount">;

export function refusedLines({ refused, refusedCount }: Refused): string[] {
  const shown = refused.map(({ line, reason }) => `Line ${line}: ${reason}`);
  const more = refusedCount - refused.length;
  return more > 0 ? [...shown, `${plural(more, "more line was", "more lines were")} refused.`] : shown;
}

function isReport(error: unknown): error is ApiError & { details: Refused } {
  return error instanceof ApiError && Array.isArray(error.details["refused"]);
}

function kilobytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000).toLocaleString("en")} kB`;
}
