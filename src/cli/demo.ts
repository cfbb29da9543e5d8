import type { Command } from "commander";
import type { Context } from "./context.ts";
import type { SetExitCode } from "./program.ts";

export function addDemo(program: Command, { terminal }: Context, setExitCode: SetExitCode): void {
  program
    .command("demo")
    .description("send an edition from two feeds to seven readers, on this machine only")
    .option("--keep", "keep the server running until you press Ctrl-C")
    .action(async ({ keep = false }: { keep?: boolean }) => {
      const { runDemo } = await import("./demo/run.ts");
      setExitCode(await runDemo(terminal, { keep }));
    });
}
