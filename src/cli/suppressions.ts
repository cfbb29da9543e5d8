import type { Command } from "commander";
import type {
  SuppressionAnswer,
  RemovedSuppressionsAnswer,
  SuppressionCountAnswer,
  SuppressionsReport,
} from "../web/api/answers.ts";
import { dateArgument, editionArgument, limitArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { moment, plural } from "./format.ts";
import type { SetExitCode } from "./program.ts";
import { type ListFlags, refusedLines, sendList } from "./send-list.ts";
import { suppressionReasons } from "../subscribers/suppressions.ts";
import { otherReasons } from "../subscribers/suppression-search.ts";
import { suppressionReasonInWords } from "../texts/suppressions.ts";

interface JsonOption {
  json?: boolean;
}

interface SuppressionPage {
  suppressions: SuppressionAnswer[];
  next: string | null;
}

interface SearchFlags {
  reason?: string;
  edition?: string;
  since?: string;
  until?: string;
}

const reasonNote = `reason: ${[...suppressionReasons, otherReasons].join(", ")}`;

/** Options that name suppressions. */
function withPeriod(command: Command): Command {
  return command
    .option("--edition <date>", "caused by this edition", editionArgument)
    .option("--since <date>", "first date, in the publication's time zone", dateArgument)
    .option("--until <date>", "last date", dateArgument);
}

export function addSuppressions(program: Command, context: Context, setExitCode: SetExitCode): void {
  const { terminal, client } = context;
  const suppressions = program.command("suppressions").description("manage addresses that must not get emails");

  withPeriod(
    withJson(
      suppressions
        .command("list")
        .description("list suppressed addresses, newest first; those without a subscriber are stored as hashes"),
    ).option("--reason <reason>", reasonNote),
  )
    .option("--limit <number>", "maximum number to show", limitArgument, 100)
    .option("--after <position>", "start after this position, which the previous page shows", (raw) => raw)
    .action(async ({ json, ...query }: JsonOption & SearchFlags & { limit: number; after?: string }) => {
      const page = await client().request<SuppressionPage>("GET", "/suppressions", { query });
      answer(terminal, { json: json ?? false }, page, suppressionsText);
    });

  withPeriod(withJson(suppressions.command("count").description("count suppressed addresses by reason"))).action(
    async ({ json, ...query }: JsonOption & SearchFlags) => {
      const counted = await client().request<{ counts: SuppressionCountAnswer[] }>("GET", "/suppressions/counts", {
        query,
      });
      answer(terminal, { json: json ?? false }, counted, countsText);
    },
  );

  withJson(suppressions.command("add").description("stop all emails to an address until its owner confirms again"))
    .argument("<address>", "email address")
    .option("--reason <text>", "reason; `complaint` is permanent", "operator")
    .action(async (address: string, { reason, ...options }: JsonOption & { reason: string }) => {
      const json = { address, reason };
      const added = await client().request<{ address: string; reason: string }>("POST", "/suppressions", { json });
      answer(
        terminal,
        options,
        added,
        (one) => `${one.address} is suppressed. Reason: ${suppressionReasonInWords(one.reason)}.`,
      );
    });

  withJson(
    suppressions
      .command("import")
      .description("import suppressions from CSV (address or hash, reason, detail, date); hashes need the same SECRET"),
  )
    .argument("<file>", "path of the file; - for standard input")
    .option("--strict", "import nothing if any line is refused")
    .option("--dry-run", "show what would happen, without changing anything")
    .action(async (file: string, options: ListFlags) =>
      setExitCode(
        await sendList(context, file, options, {
          send: (server, list) => server.request<SuppressionsReport>("POST", "/suppressions/import", list),
          text: (report) => reportText(report, options.dryRun ?? false),
        }),
      ),
    );

  suppressions
    .command("export")
    .description("print all suppressions as CSV, with hashes and known addresses")
    .action(async () => terminal.raw(await client().download("/suppressions/export")));

  withJson(
    suppressions
      .command("remove")
      .description("remove the suppression of an address, which gets no emails until its owner signs up again"),
  )
    .argument("<address>", "email address")
    .action(async (address: string, options: JsonOption) => {
      const server = client();
      const { hash } = await server.request<{ hash: string }>("POST", "/suppressions/lookup", { json: { address } });
      await server.request("DELETE", `/suppressions/${hash}`);
      answer(
        terminal,
        options,
        { address },
        () => `${address} is no longer suppressed. It gets no emails until its owner signs up again.`,
      );
    });

  withPeriod(
    withJson(
      suppressions
        .command("remove-all")
        .description("remove all suppressions with one reason, from an edition or a period"),
    ).requiredOption("--reason <reason>", "bounce, operator, other, or a reason in words"),
  )
    .option("--dry-run", "show what would happen, without changing anything")
    .action(async ({ json, dryRun = false, ...search }: JsonOption & SearchFlags & { dryRun?: boolean }) => {
      const body = { json: { ...search, dryRun } };
      const removed = await client().request<RemovedSuppressionsAnswer>("POST", "/suppressions/remove", body);
      answer(terminal, { json: json ?? false }, removed, removedText);
    });
}

function countsText({ counts }: { counts: readonly SuppressionCountAnswer[] }, columns: number | null): string {
  if (counts.length === 0) return "No addresses are suppressed.";
  const rows = counts.map(({ reason, count }) => [reason, suppressionReasonInWords(reason), String(count)]);
  return table([{ title: "Reason" }, { title: "Meaning" }, { title: "Addresses", right: true }], rows, columns);
}

function removedText({ count, resumed, removed }: RemovedSuppressionsAnswer): string {
  const what = plural(count, "suppression", "suppressions");
  if (!removed) return `${what} would be removed. This was a dry run. Nothing was changed.`;
  return `${what} removed. ${plural(resumed, "reader gets", "readers get")} emails again.`;
}

function reportText(report: SuppressionsReport, dryRun: boolean): string {
  const { lines, suppressed, unchanged, kept, refusedCount } = report;
  const sum = `${plural(lines, "line")}: ${suppressed} suppressed, ${unchanged} unchanged, ${refusedCount} refused.`;
  const stay = kept === 0 ? "" : ` Readers who have confirmed a subscription here since, and stay: ${kept}.`;
  return [...refusedLines(report), `${sum}${stay}${dryRun ? " This was a dry run. Nothing was changed." : ""}`].join(
    "\n",
  );
}

function suppressionsText({ suppressions, next }: SuppressionPage, columns: number | null): string {
  if (suppressions.length === 0) return "No addresses are suppressed.";
  const rows = suppressions.map((one) => [
    one.address ?? `#${one.hash.slice(0, 12)}`,
    suppressionReasonInWords(one.reason),
    moment(one.createdAt),
    one.edition ?? "",
    one.source ?? "",
    one.detail ?? "",
  ]);
  const titles = ["Address", "Reason", "Since", "Edition", "Source", "Detail"].map((title) => ({ title }));
  const more = next === null ? "" : `\nFor the next page, add --after ${next}`;
  return `${table(titles, rows, columns)}${more}`;
}
