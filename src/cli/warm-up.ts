import type { Command } from "commander";
import type { WarmUpAnswer } from "../web/api/answers.ts";
import { limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { facts, table } from "./table.ts";

export function addWarmUp(program: Command, { terminal, client }: Context): void {
  const warmUp = program.command("warmup").description("show the warm-up of a new sender or domain");

  withJson(warmUp.command("show").description("show the day of the warm-up, its limits, and who is skipped"))
    .option("--limit <number>", "maximum number of mailbox providers to show", limitArgument, 30)
    .action(async ({ limit, ...options }: { json?: boolean; limit: number }) => {
      const shown = await client().request<WarmUpAnswer>("GET", "/warm-up", { query: { limit } });
      answer(terminal, options, shown, warmUpText);
    });
}

function warmUpText(
  { state, start, day, date, cap, hours, planned, providers }: WarmUpAnswer,
  columns: number | null,
): string {
  if (state === "off") return "No warm-up. To warm up a new sender or domain, set WARMUP_START.";
  if (date === null) return `The warm-up that began on ${start} is over.`;
  const summary = facts([
    ["Warm-up", state === "waiting" ? `begins on ${date}` : `day ${day}`],
    ["Date", date],
    ["Limit", `${cap} readers at each provider${hours === 1 ? "" : `, over ${hours} hours`}`],
  ]);
  const days = table(
    [{ title: "Planned" }, { title: "Limit", right: true }],
    planned.map((one) => [one.date, one.cap === null ? "none" : String(one.cap)]),
    columns,
  );
  if (providers.length === 0) return `${summary}\n\n${days}`;
  const titles = [
    { title: "Provider" },
    { title: "Readers", right: true },
    { title: "Within the limit", right: true },
    { title: "Skipped", right: true },
    { title: "All readers from" },
  ];
  const rows = providers.map((one) => [
    one.name,
    String(one.readers),
    String(one.sent),
    String(one.leftOut),
    one.servedFrom ?? "",
  ]);
  return [summary, table(titles, rows, columns), days].join("\n\n");
}
