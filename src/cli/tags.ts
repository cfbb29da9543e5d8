import type { Command } from "commander";
import type { TagActAnswer, TagAnswer, TagHiddenAnswer, TagUnaliasedAnswer } from "./answers.ts";
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
  const told = JSON.stringify;

  withJson(tags.command("list").description("list the tags, with their articles of the last 90 days and their readers"))
    .option("--hidden", "only those that are hidden")
    .action(async ({ hidden = false, ...options }: JsonOption & { hidden?: boolean }) => {
      const list = await client().ask<{ tags: TagAnswer[] }>("GET", "/tags");
      const shown = { tags: hidden ? list.tags.filter((tag) => tag.hiddenAt !== null) : list.tags };
      answer(terminal, options, shown, (value) => tagsText(value.tags, terminal.columns));
    });

  withDryRun(tags.command("rename").description("give a tag another name; readers, feeds and links go along"))
    .argument("<tag>", "its name")
    .argument("<name>", "the name it gets")
    .option("--revision <number>", "as `tags list --json` has it: refused if the tag was changed since", idArgument)
    .action(async (from: string, to: string, { dryRun, revision, ...options }: ActOptions & { revision?: number }) => {
      const json = { from, to, revision, dryRun };
      const renamed = await client().ask<TagActAnswer & { name: string }>("POST", "/tags/rename", { json });
      answer(terminal, options, renamed, (one) =>
        say(one, dryRun, one.changed ? `${told(from)} is called ${told(one.name)} now.` : "It is called so already."),
      );
    });

  withDryRun(tags.command("merge").description("make one tag of two; it cannot be taken apart again"))
    .argument("<from>", "this tag becomes part of the other, and another spelling of it")
    .argument("<into>", "the tag that stays")
    .action(async (from: string, into: string, { dryRun, ...options }: ActOptions) => {
      const json = { from, into, dryRun };
      const merged = await client().ask<TagActAnswer>("POST", "/tags/merge", { json });
      answer(terminal, options, merged, (one) =>
        say(one, dryRun, `${told(from)} is part of ${told(into)} ${one.changed ? "now" : "already"}.`),
      );
    });

  withJson(tags.command("alias").description("give a tag another spelling, which articles may come with"))
    .argument("<spelling>", "the other spelling")
    .argument("<tag>", "the tag that it means")
    .action(async (alias: string, tag: string, options: JsonOption) => {
      const added = await client().ask("POST", "/tags/alias", { json: { alias, tag } });
      answer(terminal, options, added, () => `${told(alias)} means ${told(tag)} now.`);
    });

  withDryRun(tags.command("unalias").description("take another spelling from a tag; what it brought stays"))
    .argument("<spelling>", "the other spelling")
    .argument("<tag>", "the tag that it means")
    .action(async (alias: string, tag: string, { dryRun, ...options }: ActOptions) => {
      const query = { alias, tag, dryRun };
      const removed = await client().ask<TagUnaliasedAnswer>("DELETE", "/tags/alias", { query });
      answer(terminal, options, removed, (one) => say(one, dryRun, unaliasedText(one)));
    });

  for (const [act, description, text] of [
    ["hide", "neither offer nor show a tag; whoever follows it keeps it", hiddenText],
    ["unhide", "show a hidden tag again", shownText],
  ] as const) {
    withDryRun(tags.command(act).description(description))
      .argument("<tag>", "its name")
      .action(async (tag: string, { dryRun, ...options }: ActOptions) => {
        const json = { tag, dryRun };
        const done = await client().ask<TagHiddenAnswer>("POST", `/tags/${act}`, { json });
        answer(terminal, options, done, (one) => say(one, dryRun, text(one)));
      });
  }
}

/** Adds `--dry-run`, and `--json`. */
function withDryRun(command: Command): Command {
  return withJson(command).option("--dry-run", "say what it would do and for how many, and change nothing");
}

/** What was done, or what would be. */
function say({ changed, words }: TagActAnswer, dryRun: boolean | undefined, done: string): string {
  return dryRun && changed ? `${words} This was a dry run: nothing was changed.` : done;
}

export function tagsText(tags: readonly TagAnswer[], columns: number | null): string {
  if (tags.length === 0) return "No tag here. They come with articles: `dayletter sources list` shows where from.";
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
      { title: "" },
      { title: "Other spellings" },
    ],
    rows,
    columns,
  );
}

function unaliasedText({ alias, tag, changed }: TagUnaliasedAnswer): string {
  const [spelling, name] = [JSON.stringify(alias), JSON.stringify(tag)];
  return changed ? `${spelling} no longer means ${name}.` : `${spelling} does not mean ${name}: nothing was changed.`;
}

function hiddenText({ tag, changed, readers, onlyThis }: TagHiddenAnswer): string {
  const name = JSON.stringify(tag);
  if (!changed) return `${name} is hidden already.`;
  const only =
    onlyThis === 0 ? "" : ` ${plural(onlyThis, "reader")} with nothing else: no mail until it is shown again.`;
  return `${name} is hidden. ${plural(readers, "reader keeps it", "readers keep it")}, and it brings them nothing.${only}`;
}

function shownText({ tag, changed, readers }: TagHiddenAnswer): string {
  const name = JSON.stringify(tag);
  if (!changed) return `${name} is not hidden.`;
  return `${name} is shown again, and brings its news to ${plural(readers, "reader")} from the next edition on.`;
}
