import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { packageRoot } from "../package-root.ts";
import { addAlerts } from "./alerts.ts";
import { addArticles } from "./articles.ts";
import type { Context } from "./context.ts";
import { addDemo } from "./demo.ts";
import { addDkim } from "./dkim.ts";
import { addDoctor } from "./doctor.ts";
import { addEdition } from "./edition.ts";
import { addMigrate } from "./migrate.ts";
import { addOperators } from "./operators.ts";
import { addProviders } from "./providers.ts";
import { addRelay } from "./relay.ts";
import { addWarmUp } from "./warm-up.ts";
import { addSample } from "./sample.ts";
import { addSchedule } from "./schedule.ts";
import { addServe } from "./serve.ts";
import { addSources } from "./sources.ts";
import { addStatus } from "./status.ts";
import { addSubscribers } from "./subscribers.ts";
import { addSuppressions } from "./suppressions.ts";
import { addTags } from "./tags.ts";
import { addTokens } from "./tokens.ts";

/** Sets the exit code of a command that completed but failed at something. */
export type SetExitCode = (code: number) => void;

const notes = `
Commands that send requests use DAYLETTER_URL and DAYLETTER_TOKEN. If these are not set, they find the server in DATA_DIR.
Exit codes: 0 success, 1 refused or failed, 2 wrong usage.`;

/** All commands: first those that run here, then those that send requests to a running server. */
export function createProgram(context: Context, setExitCode: SetExitCode): Command {
  const { terminal } = context;
  const program = new Command("dayletter")
    .description("Daily email alerts for news sites")
    .version(version())
    .showHelpAfterError("(To list all commands, run `dayletter --help`)")
    .addHelpText("after", notes)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    });
  program.commandsGroup("Commands that run on this machine:");
  addServe(program, context);
  addMigrate(program, context);
  addDemo(program, context, setExitCode);
  addDoctor(program, context, setExitCode);
  addDkim(program, context);
  program.commandsGroup("Commands that send requests to a running server:");
  addStatus(program, context);
  addSources(program, context, setExitCode);
  addArticles(program, context, setExitCode);
  addTags(program, context);
  addEdition(program, context, setExitCode);
  addSample(program, context);
  addSchedule(program, context);
  addSubscribers(program, context, setExitCode);
  addSuppressions(program, context, setExitCode);
  addOperators(program, context);
  addTokens(program, context);
  addAlerts(program, context);
  addProviders(program, context);
  addRelay(program, context);
  addWarmUp(program, context);
  return program;
}

function version(): string {
  return (JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string }).version;
}

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
