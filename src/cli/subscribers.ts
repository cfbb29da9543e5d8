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

  withJson(subscribers.command("add").description("add one reader"))
    .argument("<address>", "e-mail address")
    .option("--tag <tag>", "a tag to follow; may be repeated", collect)
    .option("--all-tags", "all news, whatever its tags")
    .option("--confirmed", "you vouch that this reader asked for it; else their mailbox is asked to confirm")
    .option("--consent <text>", "with --confirmed, how they asked for it", "vouched for on the command line")
    .action(
      async (address: string, { tag = [], allTags = false, confirmed = false, consent, ...options }: AddOptions) => {
        if (tag.length === 0 && !allTags) {
          throw new UsageError("A reader needs something to follow: give at least one --tag, or --all-tags.");
        }
        const record = { method: "operator", wording: consent };
        const json = { address, tags: tag, allTags, confirmed, ...(confirmed ? { consent: record } : {}) };
        const added = await client().ask<SubscriberAnswer>("POST", "/subscribers", { json });
        answer(terminal, options, added, (one) => `${one.address} is ${one.status} and follows ${followed(one)}.`);
      },
    );

  withJson(subscribers.command("list").description("list readers, oldest first"))
    .option("--status <status>", "pending, active, unsubscribed or suppressed", statusOf)
    .option("--limit <number>", "how many at most", limitArgument, 100)
    .option("--after <id>", "those behind this id", (raw) => raw)
    .action(async ({ json, ...query }: JsonOption & { status?: string; limit: number; after?: string }) => {
      const list = await client().ask<SubscriberPage>("GET", "/subscribers", { query });
      answer(terminal, { json: json ?? false }, list, (page) => subscribersText(page, terminal.columns));
    });

  withJson(subscribers.command("why").description("say why a reader got what they got on a date, or nothing"))
    .argument("<id or address>", "as `dayletter subscribers list` shows it")
    .option("--date <date>", "such as 2026-11-24; today if left out", editionArgument)
    .action(async (who: string, { date, ...options }: JsonOption & { date?: string }) => {
      const server = client();
      const path = `/subscribers/${await idOf(server, who)}/why`;
      const why = await server.ask<WhyAnswer>("GET", path, { query: { date } });
      answer(terminal, options, why, (value) => whyText(value, terminal.columns));
    });

  withJson(subscribers.command("erase").description("erase all that is held about a reader, for good"))
    .argument("<id or address>", "as `dayletter subscribers list` shows it")
    .action(async (who: string, options: JsonOption) => {
      const server = client();
      const id = await idOf(server, who);
      await server.ask("DELETE", `/subscribers/${id}`, { query: { erase: true } });
      answer(terminal, options, { id, erased: true }, () => `Subscriber ${id} is erased; past editions still add up.`);
    });

  withJson(
    subscribers.command("import").description("import readers from CSV or NDJSON (address, tags, all_tags, status, …)"),
  )
    .argument("<file>", "- for standard input")
    .option("--strict", "import nothing if any line is refused")
    .option("--dry-run", "report what would happen, and change nothing")
    .option("--confirmed", "you vouch that readers without a status of their own asked for it")
    .option("--create-tags", "make tags that no article has had yet")
    .option("--map <ours=theirs>", "what the list calls a column, such as address=E-Mail; may be repeated", collect)
    .action(async (file: string, options: JsonOption & ImportFlags) => done(await importList(context, file, options)));

  subscribers
    .command("export")
    .description("print all readers, in a form that can be imported")
    .option("--format <format>", "csv or ndjson", formatOf, "csv")
    .option("--status <status>", "only these", statusOf)
    .action(async (query: { format: string; status?: string }) =>
      terminal.raw(await client().download("/subscribers/export", query)),
    );
}

/** An address goes in the body of a request: URLs are written to access logs. */
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
    return "No subscriber here: `dayletter subscribers add ADDRESS --tag TAG` adds one, `dayletter subscribers import FILE` many.";
  }
  const rows = subscribers.map((one) => [String(one.id), one.address, one.status, followed(one)]);
  const titles = [{ title: "Id", right: true }, { title: "Address" }, { title: "Status" }, { title: "Follows" }];
  const more = next === null ? "" : `\nMore: \`dayletter subscribers list --after ${next}\``;
  return `${table(titles, rows, columns)}${more}`;
}

function followed({ allTags, tags }: SubscriberAnswer): string {
  return allTags ? "all news" : tags.join(", ");
}

function oneOf(what: string, values: readonly string[]): (raw: string) => string {
  return (raw) => {
    if (values.includes(raw)) return raw;
    throw new UsageError(`${JSON.stringify(raw)} is not a ${what}; expected ${values.join(", ")}.`);
  };
}

const statusOf = oneOf("status", ["pending", "active", "unsubscribed", "suppressed"]);
const formatOf = oneOf("format", ["csv", "ndjson"]);
