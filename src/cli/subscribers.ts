import type { Command } from "commander";
import type { SubscriberAnswer, WhyAnswer } from "./answers.ts";
import { collect, editionArgument, limitArgument } from "./arguments.ts";
import type { Client } from "./client.ts";
import { answer, withJson, type Context } from "./context.ts";
import { UsageError } from "./failure.ts";
import { importList, type ImportFlags } from "./import-list.ts";
import type { Done } from "./program.ts";
import { table } from "./table.ts";
import { whyText } from "./why-text.ts";

interface JsonOption {
  json?: boolean;
}

interface AddOptions extends JsonOption {
  tag?: string[];
  allTags?: boolean;
  confirmed?: boolean;
  consent?: string;
}

export function addSubscribers(program: Command, context: Context, done: Done): void {
  const { terminal, client } = context;
  const subscribers = program.command("subscribers").description("add, list, import, export and erase readers");

  withJson(subscribers.command("add").description("add a reader"))
    .argument("<address>", "email address")
    .option("--tag <tag>", "tag to follow; can be repeated", collect)
    .option("--all-tags", "follow all news")
    .option("--confirmed", "the reader has agreed to get emails; otherwise, an email asks them to confirm")
    .option(
      "--consent <text>",
      "with --confirmed: how the reader agreed",
      "confirmed by an operator on the command line",
    )
    .action(
      async (address: string, { tag = [], allTags = false, confirmed = false, consent, ...options }: AddOptions) => {
        if (tag.length === 0 && !allTags) {
          throw new UsageError("The reader needs something to follow. Specify at least one --tag, or --all-tags.");
        }
        const record = { method: "operator", wording: consent };
        const json = { address, tags: tag, allTags, confirmed, ...(confirmed ? { consent: record } : {}) };
        const added = await client().ask<SubscriberAnswer>("POST", "/subscribers", { json });
        answer(terminal, options, added, (one) => `${one.address} is ${one.status} and follows ${followed(one)}.`);
      },
    );

  withJson(subscribers.command("list").description("list readers, oldest first"))
    .option("--status <status>", "only pending, active, unsubscribed or suppressed", statusOf)
    .option("--limit <number>", "maximum number to show", limitArgument, 100)
    .option("--after <id>", "start after this ID", (raw) => raw)
    .action(async ({ json, ...query }: JsonOption & { status?: string; limit: number; after?: string }) => {
      const list = await client().ask<SubscriberPage>("GET", "/subscribers", { query });
      answer(terminal, { json: json ?? false }, list, (page) => subscribersText(page, terminal.columns));
    });

  withJson(subscribers.command("why").description("explain what a reader got on a date, and why"))
    .argument("<id or address>", "as shown by `subscribers list`")
    .option("--date <date>", "such as 2026-11-24; today if omitted", editionArgument)
    .action(async (who: string, { date, ...options }: JsonOption & { date?: string }) => {
      const server = client();
      const path = `/subscribers/${await idOf(server, who)}/why`;
      const why = await server.ask<WhyAnswer>("GET", path, { query: { date } });
      answer(terminal, options, why, (value) => whyText(value, terminal.columns));
    });

  withJson(subscribers.command("erase").description("delete all data about a reader permanently"))
    .argument("<id or address>", "as shown by `subscribers list`")
    .action(async (who: string, options: JsonOption) => {
      const server = client();
      const id = await idOf(server, who);
      await server.ask("DELETE", `/subscribers/${id}`, { query: { erase: true } });
      answer(
        terminal,
        options,
        { id, erased: true },
        () => `Subscriber ${id} was erased. The counts of past editions stay the same.`,
      );
    });

  withJson(
    subscribers.command("import").description("import readers from CSV or NDJSON (address, tags, all_tags, status, …)"),
  )
    .argument("<file>", "path of the file; - for standard input")
    .option("--strict", "import nothing if any line is refused")
    .option("--dry-run", "show what would happen, without changing anything")
    .option("--confirmed", "readers without a status in the list have agreed to get emails")
    .option("--create-tags", "create tags that no article has had yet")
    .option("--map <ours=theirs>", "name of a column in the list, such as address=Contact; can be repeated", collect)
    .action(async (file: string, options: JsonOption & ImportFlags) => done(await importList(context, file, options)));

  subscribers
    .command("export")
    .description("print all readers in a format that can be imported")
    .option("--format <format>", "csv or ndjson", formatOf, "csv")
    .option("--status <status>", "only pending, active, unsubscribed or suppressed", statusOf)
    .action(async (query: { format: string; status?: string }) =>
      terminal.raw(await client().download("/subscribers/export", query)),
    );
}

/** Addresses are sent in request bodies, because URLs are written to access logs. */
async function idOf(server: Client, who: string): Promise<number> {
  if (/^[1-9]\d{0,14}$/.test(who)) return Number(who);
  return (await server.ask<SubscriberAnswer>("POST", "/subscribers/lookup", { json: { address: who } })).id;
}

interface SubscriberPage {
  subscribers: SubscriberAnswer[];
  next: number | null;
}

export function subscribersText({ subscribers, next }: SubscriberPage, columns: number | null): string {
  if (subscribers.length === 0) {
    return "No subscribers found. To add one, run `dayletter subscribers add ADDRESS --tag TAG`. To add many, run `dayletter subscribers import FILE`.";
  }
  const rows = subscribers.map((one) => [String(one.id), one.address, one.status, followed(one)]);
  const titles = [{ title: "ID", right: true }, { title: "Address" }, { title: "Status" }, { title: "Follows" }];
  const more = next === null ? "" : `\nFor the next page, add --after ${next}`;
  return `${table(titles, rows, columns)}${more}`;
}

function followed({ allTags, tags }: SubscriberAnswer): string {
  return allTags ? "all news" : tags.join(", ");
}

function oneOf(what: string, values: readonly string[]): (raw: string) => string {
  return (raw) => {
    if (values.includes(raw)) return raw;
    throw new UsageError(`${JSON.stringify(raw)} is not a ${what}. Use ${values.join(", ")}.`);
  };
}

const statusOf = oneOf("status", ["pending", "active", "unsubscribed", "suppressed"]);
const formatOf = oneOf("format", ["csv", "ndjson"]);
