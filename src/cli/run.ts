import { createProgram } from "./program.ts";
import type { Context } from "./context.ts";

/**
 * Runs one command line.
 * @returns the exit code: 0 done, 1 refused or failed
 * @throws whatever the command does, and Commander's error for wrong usage; `failure` knows what to say and the code
 */
export async function run(argv: readonly string[], context: Context): Promise<number> {
  let code = 0;
  const program = createProgram(context, (given) => (code = given));
  await program.parseAsync([...argv], { from: "user" });
  return code;
}
