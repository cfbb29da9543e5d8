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

  withJson(sources.command("list").description("list the sources and their problems")).action(
    async (options: JsonOption) => {
      const list = await client().ask<{ sources: SourceAnswer[] }>("GET", "/sources");
      answer(terminal, options, list, (value) => sourcesText(value.sources, terminal.columns));
    },
  );

  withJson(sources.command("add").description("read a feed and add it as a source"))
    .argument("<url>", "an RSS, Atom or JSON feed", urlArgument)
    .option("--tag <tag>", "add this tag to all articles of the source; can be repeated", collect)
    .option("--rename <old=new>", "rename a tag of this feed; can be repeated", collectRenames)
    .action(async (url: string, options: JsonOption & { tag?: string[]; rename?: Record<string, string> }) => {
      const body = { url, tags: options.tag ?? [], rename: options.rename ?? {} };
      const added = await client().ask<PolledAnswer>("POST", "/sources", { json: body });
      answer(terminal, options, added, addedText);
    });

  withJson(sources.command("check").description("read a feed now"))
    .argument("<id>", "as shown by `sources list`", idArgument)
    .action(async (id: number, options: JsonOption) => {
      const checked = await client().ask<PolledAnswer>("POST", `/sources/${id}/check`);
      answer(terminal, options, checked, (value) => pollText(value.poll));
      if (checked.poll.outcome === "failed") done(exitCodes.failed);
    });

  withJson(sources.command("remove").description("remove a source, and keep its articles"))
    .argument("<id>", "as shown by `sources list`", idArgument)
    .action(async (id: number, options: JsonOption) => {
      const removed = await client().ask<SourceAnswer>("DELETE", `/sources/${id}`);
      answer(
        terminal,
        options,
        removed,
        ({ title }) => `Source ${id}${title ? ` (${title})` : ""} was removed. Its articles stay.`,
      );
    });
}

export function sourcesText(sources: readonly SourceAnswer[], columns: number | null): string {
  if (sources.length === 0)
    return "No sources yet. To add one, run `dayletter sources add https://your-site.example/feed.xml`.";
  const rows = sources.map((source) => [
    String(source.id),
    source.title ?? "",
    source.url ?? "API",
    source.checkedAt === null ? "never" : moment(source.checkedAt),
    source.lastError ?? source.problem ?? "healthy",
  ]);
  return table(
    [{ title: "ID", right: true }, { title: "Title" }, { title: "URL" }, { title: "Last read" }, { title: "Status" }],
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
  if (outcome === "unchanged") return "No changes since the last check.";
  if (outcome === "left") return "Another process is already reading this feed.";
  if (outcome === "failed") return reason ?? "The feed cannot be read.";
  const read = `${plural(added + updated + unchanged, "article")} read: ${added} new, ${updated} changed.`;
  return [read, ...problems.map((problem) => `  ${problem}`)].join("\n");
}
