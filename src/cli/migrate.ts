import type { Command } from "commander";
import type { Context } from "./context.ts";

export function addMigrate(program: Command, { terminal, config }: Context): void {
  program
    .command("migrate")
    .description("bring the records to this release's schema; every start does so too")
    .option("--from <folder>", "copy the embedded records of a stopped server's DATA_DIR into the empty DATABASE_URL")
    .action(async ({ from }: { from?: string }) => {
      if (from !== undefined) {
        const { moveRecords } = await import("./move-records.ts");
        for (const sentence of await moveRecords(config(), from)) terminal.out(sentence);
        return;
      }
      const { bringUpToDate } = await import("./bring-up-to-date.ts");
      terminal.out(await bringUpToDate(config()));
    });
}
