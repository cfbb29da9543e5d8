import type { Command } from "commander";
import { parseDate } from "../base/schedule-values.ts";
import type { EditedReaderAnswer, ImportAnswer, SubscriberAnswer, WhyAnswer } from "../web/api/answers.ts";
import { collect, editionArgument, limitArgument } from "./arguments.ts";
import type { Client } from "./client.ts";
import { answer, withJson, type Context } from "./context.ts";
import { argument, UsageError } from "./failure.ts";
import type { SetExitCode } from "./program.ts";
import { table } from "./table.ts";
import { refusedLines, sendList } from "./send-list.ts";
import { toolNames } from "../subscribers/export-formats.ts";
import { moment, plural } from "./format.ts";

interface JsonOption {
  json?: boolean;
}

interface AddOptions extends JsonOption {
  tag?: string[];
  allTags?: boolean;
  confirmed?: boolean;
  consent?: string;
}

export function addSubscribers(program: Command, context: Context, setExitCode: SetExitCode): void {
  const { terminal, client } = context;
  const subscribers = program.command("subscribers").description("add, list, edit, import, export and erase readers");

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
        const added = await client().request<SubscriberAnswer>("POST", "/subscribers", { json });
        answer(terminal, options, added, (one) => `${one.address} is ${one.status} and follows ${followed(one)}.`);
      },
    );

  withJson(subscribers.command("list").description("list readers, oldest first"))
    .option("--status <status>", "only pending, active, unsubscribed or suppressed", statusOf)
    .option("--limit <number>", "maximum number to show", limitArgument, 100)
    .option("--after <id>", "start after this ID", (raw) => raw)
    .action(async ({ json, ...query }: JsonOption & { status?: string; limit: number; after?: string }) => {
      const list = await client().request<SubscriberPage>("GET", "/subscribers", { query });
      answer(terminal, { json: json ?? false }, list, subscribersText);
    });

  withJson(subscribers.command("why").description("explain what a reader got on a date, and why"))
    .argument("<id or address>", "as shown by `subscribers list`")
    .option("--date <date>", "such as 2026-11-24; today if omitted", editionArgument)
    .action(async (who: string, { date, ...options }: JsonOption & { date?: string }) => {
      const server = client();
      const path = `/subscribers/${await idOf(server, who)}/why`;
      const why = await server.request<WhyAnswer>("GET", path, { query: { date } });
      answer(terminal, options, why, whyText);
    });

  withJson(subscribers.command("edit").description("change a reader's tags, pause, time zone or address"))
    .argument("<id or address>", "as shown by `subscribers list`")
    .option("--tag <tag>", "tag to follow; can be repeated, and replaces all tags", collect)
    .option("--all-tags", "follow all news")
    .option("--no-all-tags", "follow only the tags")
    .option("--pause-until <date>", "date on which the emails restart, or none to end the pause", pauseArgument)
    .option("--timezone <zone>", "time zone for delivery, or none for the publication's")
    .option("--address <address>", "new address; its owner gets an email to confirm it")
    .action(async (who: string, { json, tag, timezone, ...flags }: JsonOption & EditFlags) => {
      const { allTags, pauseUntil, address } = flags;
      const edit = {
        ...(tag === undefined ? {} : { tags: tag }),
        ...(allTags === undefined ? {} : { allTags }),
        ...(pauseUntil === undefined ? {} : { pausedUntil: orNull(pauseUntil) }),
        ...(timezone === undefined ? {} : { timezone: orNull(timezone) }),
        ...(address === undefined ? {} : { address }),
      };
      if (Object.keys(edit).length === 0) {
        throw new UsageError("Nothing to change. Specify --tag, --all-tags, --pause-until, --timezone or --address.");
      }
      const server = client();
      const path = `/subscribers/${await idOf(server, who)}`;
      const edited = await server.request<EditedReaderAnswer>("PATCH", path, { json: edit });
      answer(terminal, { json: json ?? false }, edited, editedText);
    });

  withJson(subscribers.command("erase").description("delete all data about a reader permanently"))
    .argument("<id or address>", "as shown by `subscribers list`")
    .action(async (who: string, options: JsonOption) => {
      const server = client();
      const id = await idOf(server, who);
      await server.request("DELETE", `/subscribers/${id}`, { query: { erase: true } });
      answer(
        terminal,
        options,
        { id, erased: true },
        () => `Subscriber ${id} was erased. The counts of past editions stay the same.`,
      );
    });

  withJson(
    subscribers
      .command("import")
      .description(
        "import readers from CSV or NDJSON (address, tags, all_tags, status, …), or from another tool's export",
      ),
  )
    .argument("<file>", "path of the file; - for standard input")
    .option("--strict", "import nothing if any line is refused")
    .option("--dry-run", "show what would happen, without changing anything")
    .option("--confirmed", "readers without a status in the list have agreed to get emails")
    .option("--create-tags", "create tags that no article has had yet")
    .option("--all-tags", "readers without a tag follow all news")
    .option("--map <ours=theirs>", "name of a column in the list, such as address=Contact; can be repeated", collect)
    .action(async (file: string, options: JsonOption & ImportFlags) =>
      setExitCode(
        await sendList(context, file, options, {
          send: (server, list) => server.request<ImportAnswer>("POST", "/subscribers/import", list),
          text: (report) => reportText(report, options.dryRun ?? false),
        }),
      ),
    );

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
  return (await server.request<SubscriberAnswer>("POST", "/subscribers/lookup", { json: { address: who } })).id;
}

interface SubscriberPage {
  subscribers: SubscriberAnswer[];
  next: number | null;
}

function subscribersText({ subscribers, next }: SubscriberPage, columns: number | null): string {
  if (subscribers.length === 0) {
    return "No subscribers found. To add one, run `dayletter subscribers add ADDRESS --tag TAG`. To add many, run `dayletter subscribers import FILE`.";
  }
  const rows = subscribers.map((one) => [String(one.id), one.address, statusOfReader(one), followed(one)]);
  const titles = [{ title: "ID", right: true }, { title: "Address" }, { title: "Status" }, { title: "Follows" }];
  const more = next === null ? "" : `\nFor the next page, add --after ${next}`;
  return `${table(titles, rows, columns)}${more}`;
}

function statusOfReader({ status, pausedSince }: Pick<SubscriberAnswer, "status" | "pausedSince">): string {
  return status === "active" && pausedSince !== null ? `${status}, paused` : status;
}

interface EditFlags {
  tag?: string[];
  allTags?: boolean;
  pauseUntil?: string;
  timezone?: string;
  address?: string;
}

const none = "none";

function orNull(value: string): string | null {
  return value === none ? null : value;
}

const pauseArgument = argument((raw) => (raw === none ? raw : parseDate(raw)));

function editedText({ pendingAddress, ...reader }: EditedReaderAnswer): string {
  const { address, timezone, pausedUntil, pausedSince } = reader;
  const lines = [
    `${address} follows ${followed(reader)}.`,
    `Time zone: ${timezone ?? "the publication's"}.`,
    ...(pausedSince === null ? [] : [`Paused since ${moment(pausedSince)}, because the reader did not answer.`]),
    ...(pausedUntil === null ? [] : [`Paused until ${moment(pausedUntil)}.`]),
    ...(pendingAddress === null
      ? []
      : [`An email asks ${pendingAddress} to confirm the new address. Until then, emails go to ${address}.`]),
  ];
  return lines.join("\n");
}

function followed({ allTags, tags }: Pick<SubscriberAnswer, "allTags" | "tags">): string {
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

/** The reader, and for each edition of the date the explanation and its articles with the matching tags. */
function whyText({ subscriber, sentence, editions }: WhyAnswer, columns: number | null): string {
  const { id, address, status } = subscriber;
  const who = `${address} (subscriber ${id}, ${status})`;
  if (editions.length === 0) return `${who}\n${sentence}`;
  const explained = editions.map((edition) => {
    const text = `Edition ${edition.edition}: ${edition.code}. ${edition.sentence}`;
    if (edition.articles.length === 0) return text;
    const rows = edition.articles.map(({ title, because, inMail }) => [
      title,
      `${because.length === 0 ? "all news" : because.join(", ")}${inMail ? "" : " (on the web only)"}`,
    ]);
    return `${text}\n\n${table([{ title: "Article" }, { title: "Matching tags" }], rows, columns)}`;
  });
  return [who, ...explained].join("\n");
}

interface ImportFlags {
  strict?: boolean;
  dryRun?: boolean;
  confirmed?: boolean;
  createTags?: boolean;
  allTags?: boolean;
  map?: string[];
}

function reportText(report: ImportAnswer, dryRun: boolean): string {
  const { tool, lines, added, updated, unchanged, suppressed, refusedCount } = report;
  const known = tool === null ? [] : [`This list is an export from ${toolNames[tool]}.`];
  const sum = `${plural(lines, "line")}: ${added} added, ${updated} updated, ${unchanged} unchanged, ${suppressed} suppressed, ${refusedCount} refused.`;
  return [...known, ...refusedLines(report), dryRun ? `${sum} This was a dry run. Nothing was changed.` : sum].join(
    "\n",
  );
}
