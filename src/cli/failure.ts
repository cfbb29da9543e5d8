import { CommanderError } from "commander";
import { echo, Refusal, reasonOf } from "../base/errors.ts";
import { ConfigError } from "../config/load.ts";

/** Wrong usage of a command. The process exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

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
    return { code: exitCodes.usage, lines: [settings, ...error.problems.map((problem) => `  ${problem}`)] };
  }
  const stack = debug && error instanceof Error && error.stack ? [error.stack] : [];
  if (error instanceof UsageError) return { code: exitCodes.usage, lines: [error.message, ...stack] };
  return { code: exitCodes.failed, lines: [reasonOf(error), ...problemsOf(error), ...stack] };
}

/** The first fault of a request is already in the message. */
function problemsOf(error: unknown): string[] {
  const faults = error instanceof Refusal ? error.details["faults"] : undefined;
  return Array.isArray(faults) ? faults.slice(1).map((fault) => `  ${String(fault)}`) : [];
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
      throw error instanceof Refusal ? new UsageError(error.message) : error;
    }
  };
}
