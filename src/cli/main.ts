import { commandName, loadHere } from "../config/load.ts";
import { createContext } from "./context.ts";
import { exitCodes, failure } from "./failure.ts";
import { run } from "./program.ts";
import { flushed, processTerminal, type Terminal } from "./terminal.ts";

/** Runs a command line in this process, and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<never> {
  const terminal = processTerminal(commandName());
  // An exception that nothing catches is a defect. The next start continues from the database.
  process.on("uncaughtException", (error) => {
    for (const line of failure(error, wantsStacks()).lines) terminal.err(`dayletter stopped: ${line}`);
    process.exit(exitCodes.failed);
  });
  const code = await runGuarded(argv, terminal);
  await flushed();
  process.exit(code);
}

async function runGuarded(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await run(argv, createContext(terminal));
  } catch (error) {
    const { code, lines } = failure(error, wantsStacks());
    for (const line of lines) terminal.err(line);
    return code;
  }
}

/** Stacks are printed with LOG_LEVEL=debug or trace. */
function wantsStacks(): boolean {
  try {
    return ["debug", "trace"].includes(loadHere().logLevel);
  } catch {
    return false;
  }
}
