import type { Command } from "commander";
import type { Context } from "./context.ts";
import type { Done } from "./program.ts";

export function addDemo(program: Command, { terminal }: Context, done: Done): void {
  program
    .command("demo")
    .description("send an edition from two feeds to seven readers, on this machine only")
    .option("--keep", "keep the server running until you press Ctrl-C")
    .action(async ({ keep = false }: { keep?: boolean }) => {
      const { runDemo } = await import("./demo/run.ts");
      done(await runDemo(terminal, { keep }));
    });
}
