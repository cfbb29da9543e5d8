import { execFileSync } from "node:child_process";
import type { TestProject } from "vitest/node";

const builtMark = "BUILT_FOR_TESTS";

/**
 * Builds `dist/` before the first kind of test that needs it: they start the program as an operator does. Vitest runs
 * this once for each project that has files to run, and the environment remembers between them.
 */
export function setup(_project: TestProject): void {
  buildOnce();
}

/** Not again in processes that this one starts, nor with BUILT_FOR_TESTS=1. */
export function buildOnce(): void {
  if (process.env[builtMark] !== undefined) return;
  process.env[builtMark] = "1";
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
}
