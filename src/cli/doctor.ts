import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import { systemClock } from "../base/clock.ts";
import type { Config } from "../config/load.ts";
import { ConfigError } from "../config/problems.ts";
import { sayProblem } from "../texts/problems.ts";
import { waitArgument } from "./arguments.ts";
import type { Context } from "./context.ts";
import { fail, summary, type Check } from "./doctor/check.ts";
import { exitCodes } from "./failure.ts";
import type { SetExitCode } from "./program.ts";
import { harmless } from "./table.ts";
import { listenForStop, nameCommands, startProgress } from "./terminal.ts";

export function addDoctor(program: Command, context: Context, setExitCode: SetExitCode): void {
  const { terminal, config } = context;
  program
    .command("doctor")
    .description("check settings, engines, relay, templates, sources and DNS, and show how to fix failures")
    .option("--bounce", "also send an email that must bounce, and wait until the bounce comes back")
    .option("--wait <seconds>", "how long to wait for the bounce", waitArgument, 60)
    .option("--json", "print all checks as JSON")
    .action(async ({ json, bounce, wait }: { json?: boolean; bounce?: boolean; wait: number }) => {
      const checks: Check[] = [];
      for await (const check of examineAll(config, bounce ? () => awaitBounce(context, wait) : null)) {
        checks.push(check);
        const sentence = nameCommands(harmless(check.sentence), terminal.command);
        if (!json) terminal.out(`${check.level.padEnd(4)}  ${check.name.padEnd(11)}  ${sentence}`);
      }
      const failed = checks.some((check) => check.level === "fail");
      terminal.out(json ? JSON.stringify({ ok: !failed, checks }, null, 2) : `\n${summary(checks)}`);
      if (failed) setExitCode(exitCodes.failed);
    });
}

/** @param bounce a check that sends an email, or null */
async function* examineAll(load: () => Config, bounce: (() => Promise<Check>) | null): AsyncGenerator<Check> {
  let config: Config;
  try {
    config = load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) yield fail("settings", sayProblem(problem));
    return;
  }
  const { examine } = await import("./doctor/run.ts");
  yield* examine(config, { clock: systemClock });
  if (bounce) yield await bounce();
}

async function awaitBounce({ terminal, client }: Context, seconds: number): Promise<Check> {
  const { checkBounce } = await import("./doctor/bounce.ts");
  const progress = startProgress(terminal, "bounce");
  const signals = listenForStop();
  const stopping = new AbortController();
  void signals.stop.then(() => stopping.abort());
  try {
    return await checkBounce(
      {
        client,
        clock: systemClock,
        wait: (ms) => delay(ms, undefined, { signal: stopping.signal }),
        show: (passed, note) => progress.show(passed, seconds, `${Math.floor(passed)} s, ${note}`),
      },
      seconds,
    );
  } finally {
    signals.forget();
    progress.end();
  }
}
