import type { Command } from "commander";
import type { Context } from "./context.ts";

export function addMigrate(program: Command, { terminal, config }: Context): void {
  program
    .command("migrate")
    .description("update the database to this release; this also happens at every start")
    .option(
      "--from <folder>",
      "copy the embedded database of a stopped server from its DATA_DIR to the empty database in DATABASE_URL",
    )
    .action(async ({ from }: { from?: string }) => {
      if (from !== undefined) {
        const { moveRecords } = await import("./migrate-database.ts");
        for (const sentence of await moveRecords(config(), from)) terminal.out(sentence);
        return;
      }
      const { bringUpToDate } = await import("./migrate-database.ts");
      terminal.out(await bringUpToDate(config()));
    });
}
