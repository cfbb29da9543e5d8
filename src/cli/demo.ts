import type { Command } from "commander";
import type { Context } from "./context.ts";
import type { Done } from "./program.ts";

export function addDemo(program: Command, { terminal }: Context, done: Done): void {
  program
    .command("demo")
    .description("show a whole edition on this machine: two feeds, seven readers, real mail to a catcher")
    .option("--keep", "leave the server up on the demo's data, until Ctrl-C")
    .action(async ({ keep = false }: { keep?: boolean }) => {
      const { runDemo } = await import("./demo/run.ts");
      done(await runDemo(terminal, { keep }));
    });
}
