import { loadConfig } from "../../../src/config/load.ts";
import { createContext } from "../../../src/cli/context.ts";
import { failure } from "../../../src/cli/failure.ts";
import { run } from "../../../src/cli/program.ts";
import { recordingTerminal } from "../../../src/cli/terminal.ts";

/** Runs one command line in this process: its exit code, and what it printed where. */
export async function execute(argv: readonly string[], env: Record<string, string> = {}, input = "") {
  const terminal = recordingTerminal(input);
  let code: number;
  try {
    code = await run(
      argv,
      createContext(terminal, () => loadConfig(env)),
    );
  } catch (error) {
    const failed = failure(error, false);
    code = failed.code;
    for (const line of failed.lines) terminal.err(line);
  }
  return { code, stdout: terminal.stdout(), stderr: terminal.stderr() };
}
