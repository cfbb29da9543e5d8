import type { Command } from "commander";
import { limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { moment } from "./format.ts";
import type { SuppressionReason } from "../subscribers/suppressions.ts";
import { englishWording, type MessageKey } from "../wording/catalogue.ts";

interface JsonOption {
  json?: boolean;
}

interface SuppressionPage {
  suppressions: { hash: string; address: string | null; reason: string; detail: string | null; createdAt: string }[];
  next: string | null;
}

export function addSuppressions(program: Command, { terminal, client }: Context): void {
  const suppressions = program.command("suppressions").description("manage addresses that must not get emails");

  withJson(
    suppressions
      .command("list")
      .description("list suppressed addresses; those without a subscriber are stored as hashes"),
  )
    .option("--limit <number>", "maximum number to show", limitArgument, 100)
    .option("--after <hash>", "start after this hash", (raw) => raw)
    .action(async ({ json, ...query }: JsonOption & { limit: number; after?: string }) => {
      const page = await client().ask<SuppressionPage>("GET", "/suppressions", { query });
      answer(terminal, { json: json ?? false }, page, (list) => suppressionsText(list, terminal.columns));
    });

  withJson(suppressions.command("add").description("stop all emails to an address until its owner confirms again"))
    .argument("<address>", "email address")
    .option("--reason <text>", "reason; `complaint` is permanent", "operator")
    .action(async (address: string, { reason, ...options }: JsonOption & { reason: string }) => {
      const json = { address, reason };
      const added = await client().ask<{ address: string; reason: string }>("POST", "/suppressions", { json });
      answer(terminal, options, added, (one) => `${one.address} is suppressed. Reason: ${reasonText(one.reason)}.`);
    });

  withJson(suppressions.command("remove").description("let the owner of an address sign up again"))
    .argument("<address>", "email address")
    .action(async (address: string, options: JsonOption) => {
      const server = client();
      const { hash } = await server.ask<{ hash: string }>("POST", "/suppressions/lookup", { json: { address } });
      await server.ask("DELETE", `/suppressions/${hash}`);
      answer(terminal, options, { address }, () => `${address} is no longer suppressed. Its owner can sign up again.`);
    });
}

const reasonKeys: Readonly<Record<SuppressionReason, MessageKey>> = {
  bounce: "suppression.bounce",
  complaint: "suppression.complaint",
  erased: "suppression.erased",
  operator: "suppression.operator",
};

/** A code in words; a reason that an operator wrote stays as it is. */
function reasonText(reason: string): string {
  return Object.hasOwn(reasonKeys, reason) ? englishWording().say(reasonKeys[reason as SuppressionReason]) : reason;
}

export function suppressionsText({ suppressions, next }: SuppressionPage, columns: number | null): string {
  if (suppressions.length === 0) return "No addresses are suppressed.";
  const rows = suppressions.map((one) => [
    one.address ?? `#${one.hash.slice(0, 12)}`,
    reasonText(one.reason),
    moment(one.createdAt),
    one.detail ?? "",
  ]);
  const titles = [{ title: "Address" }, { title: "Reason" }, { title: "Since" }, { title: "Detail" }];
  const more = next === null ? "" : `\nFor the next page, add --after ${next}`;
  return `${table(titles, rows, columns)}${more}`;
}
