import type { Command } from "commander";
import type { TagActAnswer, TagAnswer, TagHiddenAnswer, TagUnaliasedAnswer } from "../web/api/answers.ts";
import { idArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { plural } from "./format.ts";

interface JsonOption {
  json?: boolean;
}

interface ActOptions extends JsonOption {
  dryRun?: boolean;
}

export function addTags(program: Command, { terminal, client }: Context): void {
  const tags = program.command("tags").description("list, rename, merge and hide tags");
  const quoted = JSON.stringify;

  withJson(tags.command("list").description("list the tags with their readers and their articles of the last 90 days"))
    .option("--hidden", "only hidden tags")
    .action(async ({ hidden = false, ...options }: JsonOption & { hidden?: boolean }) => {
      const list = await client().request<{ tags: TagAnswer[] }>("GET", "/tags");
      const shown = { tags: hidden ? list.tags.filter((tag) => tag.hiddenAt !== null) : list.tags };
      answer(terminal, options, shown, (value) => tagsText(value.tags, terminal.columns));
    });

  withDryRun(tags.command("rename").description("rename a tag for readers, feeds and links"))
    .argument("<tag>", "current name")
    .argument("<name>", "new name")
    .option("--revision <number>", "revision from `tags list --json`; refused if the tag has changed since", idArgument)
    .action(async (from: string, to: string, { dryRun, revision, ...options }: ActOptions & { revision?: number }) => {
      const json = { from, to, revision, dryRun };
      const renamed = await client().request<TagActAnswer & { name: string }>("POST", "/tags/rename", { json });
      answer(terminal, options, renamed, (one) =>
        say(one, dryRun, one.changed ? `${quoted(from)} is now called ${quoted(one.name)}.` : "No change."),
      );
    });

  withDryRun(tags.command("merge").description("merge a tag into another one; this cannot be undone"))
    .argument("<from>", "the tag to merge, which becomes an alias")
    .argument("<into>", "the tag that stays")
    .action(async (from: string, into: string, { dryRun, ...options }: ActOptions) => {
      const json = { from, into, dryRun };
      const merged = await client().request<TagActAnswer>("POST", "/tags/merge", { json });
      answer(terminal, options, merged, (one) =>
        say(one, dryRun, `${quoted(from)} is ${one.changed ? "now" : "already"} part of ${quoted(into)}.`),
      );
    });

  withJson(tags.command("alias").description("add an alias of a tag"))
    .argument("<alias>", "the alias")
    .argument("<tag>", "the tag it stands for")
    .action(async (alias: string, tag: string, options: JsonOption) => {
      const added = await client().request("POST", "/tags/alias", { json: { alias, tag } });
      answer(terminal, options, added, () => `${quoted(alias)} is now an alias of ${quoted(tag)}.`);
    });

  withDryRun(tags.command("unalias").description("remove an alias of a tag; articles and readers keep the tag"))
    .argument("<alias>", "the alias")
    .argument("<tag>", "the tag it stands for")
    .action(async (alias: string, tag: string, { dryRun, ...options }: ActOptions) => {
      const query = { alias, tag, dryRun };
      const removed = await client().request<TagUnaliasedAnswer>("DELETE", "/tags/alias", { query });
      answer(terminal, options, removed, (one) => say(one, dryRun, unaliasedText(one)));
    });

  for (const [act, description, text] of [
    ["hide", "stop offering and showing a tag; its readers keep it", hiddenText],
    ["unhide", "show a hidden tag again", shownText],
  ] as const) {
    withDryRun(tags.command(act).description(description))
      .argument("<tag>", "name of the tag")
      .action(async (tag: string, { dryRun, ...options }: ActOptions) => {
        const json = { tag, dryRun };
        const done = await client().request<TagHiddenAnswer>("POST", `/tags/${act}`, { json });
        answer(terminal, options, done, (one) => say(one, dryRun, text(one)));
      });
  }
}

/** Adds `--dry-run`, and `--json`. */
function withDryRun(command: Command): Command {
  return withJson(command).option(
    "--dry-run",
    "show what would change and for how many readers, without changing anything",
  );
}

/** What was done, or what would be done. */
function say({ changed, effect }: TagActAnswer, dryRun: boolean | undefined, done: string): string {
  return dryRun && changed ? `${effect} This was a dry run. Nothing was changed.` : done;
}

export function tagsText(tags: readonly TagAnswer[], columns: number | null): string {
  if (tags.length === 0)
    return "No tags found. Tags come from articles. To see the sources, run `dayletter sources list`.";
  const rows = tags.map((tag) => [
    tag.name,
    String(tag.articles),
    String(tag.readers),
    tag.hiddenAt === null ? "" : "hidden",
    tag.aliases.join(", "),
  ]);
  return table(
    [
      { title: "Tag" },
      { title: "Articles", right: true },
      { title: "Readers", right: true },
      { title: "Status" },
      { title: "Aliases" },
    ],
    rows,
    columns,
  );
}

function unaliasedText({ alias, tag, changed }: TagUnaliasedAnswer): string {
  const [shown, name] = [JSON.stringify(alias), JSON.stringify(tag)];
  return changed ? `${shown} is no longer an alias of ${name}.` : `No change. ${shown} is not an alias of ${name}.`;
}

function hiddenText({ tag, changed, readers, onlyThis }: TagHiddenAnswer): string {
  const name = JSON.stringify(tag);
  if (!changed) return `No change. ${name} is already hidden.`;
  const only =
    onlyThis === 0
      ? ""
      : ` ${plural(onlyThis, "reader follows", "readers follow")} no other visible tag and will get no emails until it is shown again.`;
  return `${name} is now hidden. ${plural(readers, "reader follows it and gets", "readers follow it and get")} no articles for it.${only}`;
}

function shownText({ tag, changed, readers }: TagHiddenAnswer): string {
  const name = JSON.stringify(tag);
  if (!changed) return `No change. ${name} is not hidden.`;
  return `${name} is shown again. ${plural(readers, "reader gets", "readers get")} its articles from the next edition on.`;
}
