import type { Command } from "commander";
import type { TagActAnswer, TagAnswer, TagHiddenAnswer, TagUnaliasedAnswer } from "./answers.ts";
import { answer, withJson, type Context } from "./context.ts";
import { table } from "./table.ts";
import { plural } from "./words.ts";

interface JsonOption {
  json?: boolean;
}

interface DryRunOption {
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

  withJson(tags.command("rename").description("give a tag another name; readers, feeds and links go along"))
    .argument("<tag>", "its name")
    .argument("<name>", "the name it gets")
    .action(async (from: string, to: string, options: JsonOption) => {
      const json = { from, to };
      const renamed = await client().ask<{ name: string; changed: boolean }>("POST", "/tags/rename", { json });
      answer(terminal, options, renamed, ({ name, changed }) =>
        changed ? `${told(from)} is called ${told(name)} now.` : `It is called ${told(name)} already.`,
      );
    });

  withJson(tags.command("merge").description("make one tag of two; it cannot be taken apart again"))
    .argument("<from>", "this tag becomes part of the other, and another spelling of it")
    .argument("<into>", "the tag that stays")
    .action(async (from: string, into: string, options: JsonOption) => {
      const merged = await client().ask("POST", "/tags/merge", { json: { from, into } });
      answer(terminal, options, merged, () => `${told(from)} is part of ${told(into)} now.`);
    });

  withJson(tags.command("alias").description("give a tag another spelling, which articles may come with"))
    .argument("<spelling>", "the other spelling")
    .argument("<tag>", "the tag that it means")
    .action(async (alias: string, tag: string, options: JsonOption) => {
      const added = await client().ask("POST", "/tags/alias", { json: { alias, tag } });
      answer(terminal, options, added, () => `${told(alias)} means ${told(tag)} now.`);
    });

  withJson(tags.command("unalias").description("take another spelling from a tag; what it brought stays"))
    .argument("<spelling>", "the other spelling")
    .argument("<tag>", "the tag that it means")
    .option("--dry-run", "say what it would do, and change nothing")
    .action(async (alias: string, tag: string, { dryRun, ...options }: JsonOption & DryRunOption) => {
      const query = { alias, tag, dryRun };
      const removed = await client().ask<TagUnaliasedAnswer>("DELETE", "/tags/alias", { query });
      answer(terminal, options, removed, (one) => (dryRun && one.changed ? wouldText(one) : unaliasedText(one)));
    });

  withJson(tags.command("hide").description("neither offer nor show a tag; whoever follows it keeps it"))
    .argument("<tag>", "its name")
    .action(async (tag: string, options: JsonOption) => {
      const done = await client().ask<TagHiddenAnswer>("POST", "/tags/hide", { json: { tag } });
      answer(terminal, options, done, hiddenText);
    });

  withJson(tags.command("unhide").description("show a hidden tag again"))
    .argument("<tag>", "its name")
    .action(async (tag: string, options: JsonOption) => {
      const done = await client().ask<TagHiddenAnswer>("POST", "/tags/unhide", { json: { tag } });
      answer(terminal, options, done, shownText);
    });
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

function wouldText({ words }: TagActAnswer): string {
  return `${words} This was a dry run: nothing was changed.`;
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
