import type { Command } from "commander";
import { limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { moment, plural } from "./format.ts";

interface JsonOption {
  json?: boolean;
}

interface AlertList {
  alerts: { kind: string; sentence: string; toldAt: string; clearedAt: string | null }[];
}

export function addAlerts(program: Command, { terminal, client }: Context): void {
  const alerts = program.command("alerts").description("see what operators were told of, and send a test");

  withJson(alerts.command("list").description("list alerts: what lasts first, then the newest"))
    .option("--limit <number>", "how many at most", limitArgument, 30)
    .action(async ({ limit, ...options }: JsonOption & { limit: number }) => {
      const list = await client().ask<AlertList>("GET", "/alerts", { query: { limit } });
      answer(terminal, options, list, (value) => alertsText(value, terminal.columns));
    });

  withJson(alerts.command("test").description("send a test alert by every way that is set")).action(
    async (options: JsonOption) => {
      const told = await client().ask<{ mails: number; calls: number }>("POST", "/alerts/test");
      answer(
        terminal,
        options,
        told,
        ({ mails, calls }) => `A test alert is on its way: ${plural(mails, "mail")}, ${plural(calls, "call")}.`,
      );
    },
  );
}

function alertsText({ alerts }: AlertList, columns: number | null): string {
  if (alerts.length === 0) return "Nothing was wrong so far. `dayletter alerts test` shows whether alerts arrive.";
  const rows = alerts.map(({ kind, sentence, toldAt, clearedAt }) => [
    moment(toldAt),
    clearedAt === null ? "lasts" : moment(clearedAt),
    kind,
    sentence,
  ]);
  return table([{ title: "Told" }, { title: "Cleared" }, { title: "Kind" }, { title: "What" }], rows, columns);
}
