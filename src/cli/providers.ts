import type { Command } from "commander";
import type { ProviderAnswer, ProviderOutcomesAnswer } from "../web/api/answers.ts";
import { phaseInWords } from "../texts/providers.ts";
import { isSilentAboutComplaints } from "../outcomes/rates.ts";
import { percentInWords } from "../texts/outcomes.ts";
import { limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { moment } from "./format.ts";
import { table } from "./table.ts";

interface JsonOption {
  json?: boolean;
}

interface ProviderList {
  providers: ProviderAnswer[];
  outcomes: ProviderOutcomesAnswer[];
}

export function addProviders(program: Command, { terminal, client }: Context): void {
  const providers = program
    .command("providers")
    .description("show how mailbox providers accept emails, and end a pause or block");

  withJson(
    providers
      .command("list")
      .description(
        "list mailbox providers of the last 24 hours with their bounces and complaints, paused or blocked ones first",
      ),
  )
    .option("--limit <number>", "maximum number to show", limitArgument, 30)
    .action(async ({ limit, ...options }: JsonOption & { limit: number }) => {
      const list = await client().request<ProviderList>("GET", "/providers", { query: { limit } });
      answer(terminal, options, list, providersText);
    });

  withJson(
    providers
      .command("resume")
      .description("end the pause or block of a mailbox provider; sending starts again with one email at a time"),
  )
    .argument("<name>", "name in `providers list`, such as google")
    .action(async (name: string, options: JsonOption) => {
      const path = `/providers/${encodeURIComponent(name)}/resume`;
      const resumed = await client().request<{ name: string; changed: boolean }>("POST", path);
      answer(terminal, options, resumed, ({ changed }) =>
        changed ? `Sending to ${name} starts again, one email at a time.` : `${name} is not paused or blocked.`,
      );
    });
}

function providersText({ providers, outcomes }: ProviderList, columns: number | null): string {
  const later = outcomes.length === 0 ? "" : `\n\n${outcomesText(outcomes, columns)}`;
  return `${repliesText(providers, columns)}${later}`;
}

const levels = {
  low: "",
  raised: "many (Gmail asks for less than 0.1%)",
  high: "too many (the limit is 0.3%)",
} as const;

function outcomesText(outcomes: readonly ProviderOutcomesAnswer[], columns: number | null): string {
  const rows = outcomes.map((one) => [
    one.name,
    String(one.emails),
    ...(one.bounceRate === null
      ? ["unknown", ""]
      : [String(one.hard + one.soft + one.policy), percentInWords(one.bounceRate)]),
    ...(one.complaintRate === null
      ? [isSilentAboutComplaints(one.name) ? "never reported" : "none reported", ""]
      : [String(one.complained), percentInWords(one.complaintRate)]),
    one.complaintLevel === null ? "" : levels[one.complaintLevel],
  ]);
  const titles = [
    { title: "Last 7 days" },
    { title: "Emails", right: true },
    { title: "Bounced", right: true },
    { title: "Rate", right: true },
    { title: "Complained", right: true },
    { title: "Rate", right: true },
    { title: "" },
  ];
  return table(titles, rows, columns);
}

function repliesText(providers: readonly ProviderAnswer[], columns: number | null): string {
  if (providers.length === 0) return "No email was sent in the last 24 hours.";
  const rows = providers.map((one) => [
    one.name,
    phaseInWords(one.state).toLowerCase(),
    String(one.accepted),
    String(one.deferred),
    String(one.refused),
    String(one.perMinute),
    one.nextAttemptAt === null ? "" : moment(one.nextAttemptAt),
    one.state === "open" ? "" : (one.reply ?? ""),
  ]);
  return table(
    [
      { title: "Provider" },
      { title: "Status" },
      { title: "Accepted", right: true },
      { title: "Deferred", right: true },
      { title: "Refused", right: true },
      { title: "Per minute", right: true },
      { title: "Next attempt" },
      { title: "Last reply" },
    ],
    rows,
    columns,
  );
}
