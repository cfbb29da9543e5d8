import type { Command } from "commander";
import type { PollAnswer, SourceAnswer } from "./answers.ts";
import { collect, collectRenames, idArgument, urlArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { exitCodes } from "./failure.ts";
import type { Done } from "./program.ts";
import { table } from "./table.ts";
import { moment, plural } from "./format.ts";

interface JsonOption {
  json?: boolean;
}

export function addSources(program: Command, { terminal, client }: Context, done: Done): void {
  const sources = program.command("sources").description("list, add, check and remove feeds");

  withJson(sources.command("list").description("list the sources, with what is wrong with them")).action(
    async (options: JsonOption) => {
      const list = await client().ask<{ sources: SourceAnswer[] }>("GET", "/sources");
      answer(terminal, options, list, (value) => sourcesText(value.sources, terminal.columns));
    },
  );

  withJson(sources.command("add").description("read a feed and add it"))
    .argument("<url>", "address of an RSS, Atom or JSON Feed", urlArgument)
    .option("--tag <tag>", "give every article of this source this tag too; may be repeated", collect)
    .option("--rename <old=new>", "call a tag of this feed otherwise; may be repeated", collectRenames)
    .action(async (url: string, options: JsonOption & { tag?: string[]; rename?: Record<string, string> }) => {
      const body = { url, tags: options.tag ?? [], rename: options.rename ?? {} };
      const added = await client().ask<PolledAnswer>("POST", "/sources", { json: body });
      answer(terminal, options, added, addedText);
    });

  withJson(sources.command("check").description("read a feed now"))
    .argument("<id>", "from sources list", idArgument)
    .action(async (id: number, options: JsonOption) => {
      const checked = await client().ask<PolledAnswer>("POST", `/sources/${id}/check`);
      answer(terminal, options, checked, (value) => pollText(value.poll));
      if (checked.poll.outcome === "failed") done(exitCodes.failed);
    });

  withJson(sources.command("remove").description("remove a source; its articles stay"))
    .argument("<id>", "from sources list", idArgument)
    .action(async (id: number, options: JsonOption) => {
      const removed = await client().ask<SourceAnswer>("DELETE", `/sources/${id}`);
      answer(
        terminal,
        options,
        removed,
        ({ title }) => `Source ${id} is removed${title ? ` (${title})` : ""}; its articles stay.`,
      );
    });
}

export function sourcesText(sources: readonly SourceAnswer[], columns: number | null): string {
  if (sources.length === 0)
    return "No source yet: add one with `dayletter sources add https://your-site.example/feed.xml`.";
  const rows = sources.map((source) => [
    String(source.id),
    source.title ?? "",
    source.url ?? "API",
    source.checkedAt === null ? "not yet" : moment(source.checkedAt),
    source.lastError ?? source.problem ?? "well",
  ]);
  return table(
    [{ title: "Id", right: true }, { title: "Title" }, { title: "Address" }, { title: "Read" }, { title: "State" }],
    rows,
    columns,
  );
}

interface PolledAnswer {
  source: SourceAnswer;
  poll: PollAnswer;
}

function addedText({ source, poll }: PolledAnswer): string {
  return `Source ${source.id} added${source.title ? `: ${source.title}` : ""}. ${pollText(poll)}`;
}

function pollText({ outcome, reason, added, updated, unchanged, problems }: PollAnswer): string {
  if (outcome === "unchanged") return "Nothing new since it was read last.";
  if (outcome === "left") return "Another process is reading it at this moment.";
  if (outcome === "failed") return reason ?? "It could not be read.";
  const read = `${plural(added + updated + unchanged, "article")} read: ${added} new, ${updated} changed.`;
  return [read, ...problems.map((problem) => `  ${problem}`)].join("\n");
}
