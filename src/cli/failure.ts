import { CommanderError } from "commander";
import { echo, Refusal } from "../base/errors.ts";
import { ConfigError } from "../config/problems.ts";
import { sayProblem } from "../texts/problems.ts";
import type { Problem } from "../web/failures.ts";
import { sayFailure } from "../texts/catalogue.ts";

/** Wrong usage of a command. The process exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A command that failed. The process exits with 1. The message says what is wrong and what to do. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** The server refused a request. */
export class ApiError extends CommandError {
  readonly status: number;
  /** What scripts and hints go by; null if the answer has none. */
  readonly code: string | null;
  readonly details: Readonly<Record<string, unknown>>;

  /** @param sentence the detail of the problem document */
  constructor(status: number, sentence: string, problem: Partial<Pick<Problem, "code" | "details">> = {}) {
    super(sentence);
    this.status = status;
    this.code = problem.code ?? null;
    this.details = problem.details ?? {};
  }
}

/** What to add to a command after a refusal. The API's details cannot name options of the command line. */
const hints: Readonly<Record<string, string>> = {
  edition_exists: "To send an extra edition, add --extra.",
  passed_date_too_old: "To skip the date, add --passed skip.",
  passed_date_undecided: "To send the edition now, add --passed send. To skip the date, add --passed skip.",
};

/** Exit codes that scripts may rely on. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/**
 * What to print for a thrown error, and the exit code. Commander has already printed its own errors. Stacks are printed only
 * with `debug`.
 */
export function failure(error: unknown, debug: boolean): { code: number; lines: string[] } {
  if (error instanceof CommanderError) {
    return { code: error.exitCode === 0 ? exitCodes.done : exitCodes.usage, lines: [] };
  }
  if (error instanceof ConfigError) {
    const settings =
      error.problems.length === 1 ? "A setting is wrong:" : `${error.problems.length} settings are wrong:`;
    return { code: exitCodes.usage, lines: [settings, ...error.problems.map((problem) => `  ${sayProblem(problem)}`)] };
  }
  const stack = debug && error instanceof Error && error.stack ? [error.stack] : [];
  if (error instanceof UsageError) return { code: exitCodes.usage, lines: [error.message, ...stack] };
  const more = error instanceof ApiError ? [...faultsOf(error), ...hintsFor(error)] : [];
  return { code: exitCodes.failed, lines: [sayFailure(error), ...more, ...stack] };
}

/** The first fault of a request is already in the message. */
function faultsOf({ details: { faults } }: ApiError): string[] {
  return Array.isArray(faults) ? faults.slice(1).map(({ sentence }: { sentence: string }) => `  ${sentence}`) : [];
}

function hintsFor({ code }: ApiError): string[] {
  const hint = hints[code ?? ""];
  return hint === undefined ? [] : [hint];
}

/** For example `"first" is not an ID. Use a number from the list.` */
export function invalidValue(raw: string, expected: string, hint: string): UsageError {
  return new UsageError(`"${echo(raw)}" is not ${expected}. ${hint}`);
}

/** Turns a parser that throws a Refusal into one that reports wrong usage. */
export function argument<T>(read: (raw: string) => T): (raw: string) => T {
  return (raw) => {
    try {
      return read(raw);
    } catch (error) {
      throw error instanceof Refusal ? new UsageError(sayFailure(error)) : error;
    }
  };
}
