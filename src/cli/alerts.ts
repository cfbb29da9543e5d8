import type { Command } from "commander";
import type { AlertAnswer } from "../web/api/answers.ts";
import { limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { moment, plural } from "./format.ts";

interface JsonOption {
  json?: boolean;
}

interface AlertList {
  alerts: AlertAnswer[];
}

export function addAlerts(program: Command, { terminal, client }: Context): void {
  const alerts = program.command("alerts").description("list alerts and send a test alert");

  withJson(alerts.command("list").description("list alerts, active ones first, then the newest"))
    .option("--limit <number>", "maximum number to show", limitArgument, 30)
    .action(async ({ limit, ...options }: JsonOption & { limit: number }) => {
      const list = await client().request<AlertList>("GET", "/alerts", { query: { limit } });
      answer(terminal, options, list, alertsText);
    });

  withJson(alerts.command("test").description("send a test alert to the configured addresses and webhook")).action(
    async (options: JsonOption) => {
      const sent = await client().request<{ mails: number; calls: number }>("POST", "/alerts/test");
      answer(
        terminal,
        options,
        sent,
        ({ mails, calls }) => `Sending a test alert: ${plural(mails, "email")}, ${plural(calls, "webhook call")}.`,
      );
    },
  );
}

function alertsText({ alerts }: AlertList, columns: number | null): string {
  if (alerts.length === 0) return "No alerts yet. To check that alerts arrive, run `dayletter alerts test`.";
  const rows = alerts.map(({ kind, sentence, notifiedAt, clearedAt }) => [
    moment(notifiedAt),
    clearedAt === null ? "active" : moment(clearedAt),
    kind,
    sentence,
  ]);
  return table([{ title: "Sent" }, { title: "Cleared" }, { title: "Kind" }, { title: "Alert" }], rows, columns);
}
