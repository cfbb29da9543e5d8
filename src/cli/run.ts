import { createProgram } from "./program.ts";
import type { Context } from "./context.ts";

/**
 * Runs a command line.
 * @returns the exit code: 0 success, 1 refused or failed
 * @throws the errors of the command, and Commander's error for wrong usage; `failure` turns them into a message and an exit code
 */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  let code = 0;
  const program = createProgram(context, (given) => (code = given));
  await program.parseAsync([...argv], { from: "user" });
  return code;
}
