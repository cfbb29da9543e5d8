import type { Command } from "commander";
import type { Context } from "./context.ts";

export function addMigrate(program: Command, { terminal, config }: Context): void {
  program
    .command("migrate")
    .description("bring the records to this release's schema; every start does so too")
    .action(async () => {
      const { bringUpToDate } = await import("./bring-up-to-date.ts");
      terminal.out(await bringUpToDate(config()));
    });
}
