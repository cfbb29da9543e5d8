import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import { ConfigError, type Config } from "../config/load.ts";
import type { Context } from "./context.ts";
import { fail, summary, type Check } from "./doctor/check.ts";
import { exitCodes } from "./failure.ts";
import { harmless } from "./table.ts";
import { nameCommands } from "./terminal.ts";

export function addDoctor(program: Command, { terminal, config }: Context, done: (code: number) => void): void {
  program
    .command("doctor")
    .description("check settings, engines, relay, templates, sources and DNS, and show how to fix failures")
    .option("--json", "print all checks as JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const checks: Check[] = [];
      for await (const check of examineAll(config)) {
        checks.push(check);
        const sentence = nameCommands(harmless(check.sentence), terminal.command);
        if (!json) terminal.out(`${check.level.padEnd(4)}  ${check.name.padEnd(11)}  ${sentence}`);
      }
      const failed = checks.some((check) => check.level === "fail");
      terminal.out(json ? JSON.stringify({ ok: !failed, checks }, null, 2) : `\n${summary(checks)}`);
      if (failed) done(exitCodes.failed);
    });
}

async function* examineAll(load: () => Config): AsyncGenerator<Check> {
  let config: Config;
  try {
    config = load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) yield fail("settings", problem);
    return;
  }
  const { examine } = await import("./doctor/run.ts");
  yield* examine(config, { clock: systemClock });
}
