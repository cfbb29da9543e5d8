import { CommanderError } from "commander";
import { Refusal, reasonOf } from "../base/errors.ts";
import { ConfigError } from "../config/load.ts";

/** A command that was put the wrong way; the process exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Exit codes that scripts may rely on. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

/**
 * What to print for anything thrown, and the exit code. Nothing is printed for what Commander has said already, and
 * never a stack unless `debug`.
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

/** The first one of a request's faults is the sentence itself. */
function problemsOf(error: unknown): string[] {
  const faults = error instanceof Refusal ? error.details["faults"] : undefined;
  return Array.isArray(faults) ? faults.slice(1).map((fault) => `  ${String(fault)}`) : [];
}

/** Turns a reader of text that refuses with a sentence into one whose refusal is wrong usage. */
export function argument<T>(read: (raw: string) => T): (raw: string) => T {
  return (raw) => {
    try {
      return read(raw);
    } catch (error) {
      throw error instanceof Refusal ? new UsageError(error.message) : error;
    }
  };
}
