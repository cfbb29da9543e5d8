import type { Command } from "commander";
import type { ChangedSourceAnswer, PollAnswer, PolledAnswer, SourceAnswer } from "../web/api/answers.ts";
import { collect, collectRenames, idArgument, urlArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { parseTimezone } from "../base/schedule-values.ts";
import { argument, exitCodes, UsageError } from "./failure.ts";
import type { SetExitCode } from "./program.ts";
import { table } from "./table.ts";
import { moment, plural } from "./format.ts";

interface JsonOption {
  json?: boolean;
}

interface ReadingOptions {
  timezone?: string;
  splitTags?: boolean;
}

export function addSources(program: Command, { terminal, client }: Context, setExitCode: SetExitCode): void {
  const sources = program.command("sources").description("list, add, edit, check and remove feeds");

  withJson(sources.command("list").description("list the sources and their problems")).action(
    async (options: JsonOption) => {
      const list = await client().request<{ sources: SourceAnswer[] }>("GET", "/sources");
      answer(terminal, options, list, (value) => sourcesText(value.sources, terminal.columns));
    },
  );

  withJson(sources.command("add").description("read a feed and add it as a source"))
    .argument("<url>", "an RSS, Atom or JSON feed", urlArgument)
    .option("--tag <tag>", "add this tag to all articles of the source; can be repeated", collect)
    .option("--rename <old=new>", "rename a tag of this feed; can be repeated", collectRenames)
    .option(
      "--timezone <zone>",
      "read dates without a zone in this time zone, such as Asia/Seoul",
      argument(parseTimezone),
    )
    .option("--split-tags", "split the categories of this feed at commas")
    .action(async (url: string, { tag = [], rename = {}, ...options }: AddOptions) => {
      const body = { url, tags: tag, rename, ...readingOf(options) };
      const added = await client().request<PolledAnswer>("POST", "/sources", { json: body });
      answer(terminal, options, added, addedText);
    });

  withJson(sources.command("edit").description("change how a feed is read, and read it"))
    .argument("<id>", "as shown by `sources list`", idArgument)
    .option(
      "--timezone <zone>",
      "time zone of dates without one, such as Asia/Seoul, or `publication` for the publication's",
      argument((raw) => (raw === ownZone ? raw : parseTimezone(raw))),
    )
    .option("--split-tags", "split the categories of this feed at commas")
    .option("--no-split-tags", "do not split them")
    .action(async (id: number, options: JsonOption & ReadingOptions) => {
      const json = readingOf(options);
      if (Object.keys(json).length === 0) {
        throw new UsageError("Nothing to change. Specify --timezone, --split-tags or --no-split-tags.");
      }
      const changed = await client().request<ChangedSourceAnswer>("PUT", `/sources/${id}`, { json });
      answer(terminal, options, changed, changedText);
    });

  withJson(sources.command("check").description("read a feed now"))
    .argument("<id>", "as shown by `sources list`", idArgument)
    .action(async (id: number, options: JsonOption) => {
      const checked = await client().request<PolledAnswer>("POST", `/sources/${id}/check`);
      answer(terminal, options, checked, (value) => pollText(value.poll));
      if (checked.poll.outcome === "failed") setExitCode(exitCodes.failed);
    });

  withJson(sources.command("remove").description("remove a source, and keep its articles"))
    .argument("<id>", "as shown by `sources list`", idArgument)
    .action(async (id: number, options: JsonOption) => {
      const removed = await client().request<SourceAnswer>("DELETE", `/sources/${id}`);
      answer(
        terminal,
        options,
        removed,
        ({ title }) => `Source ${id}${title ? ` (${title})` : ""} was removed. Its articles are kept.`,
      );
    });
}

interface AddOptions extends JsonOption, ReadingOptions {
  tag?: string[];
  rename?: Record<string, string>;
}

const ownZone = "publication";

function readingOf({ timezone, splitTags }: ReadingOptions): { timezone?: string | null; splitTags?: boolean } {
  return {
    ...(timezone === undefined ? {} : { timezone: timezone === ownZone ? null : timezone }),
    ...(splitTags === undefined ? {} : { splitTags }),
  };
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

function addedText({ source, poll }: PolledAnswer): string {
  return `Source ${source.id} added${source.title ? `: ${source.title}` : ""}. ${pollText(poll)}`;
}

function changedText({ source, changed, poll }: ChangedSourceAnswer): string {
  if (poll !== null) return pollText(poll);
  return changed ? `Source ${source.id} saved.` : "No change.";
}

function pollText({ outcome, reason, added, updated, unchanged, problems }: PollAnswer): string {
  if (outcome === "unchanged") return "No changes since the last check.";
  if (outcome === "left") return "Another process is already reading this feed.";
  if (outcome === "failed") return reason ?? "The feed cannot be read.";
  const read = `${plural(added + updated + unchanged, "article")} read: ${added} new, ${updated} updated.`;
  return [read, ...problems.map((problem) => `  ${problem}`)].join("\n");
}
