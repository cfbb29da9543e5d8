import type { Command } from "commander";
import { wrongValue } from "../base/errors.ts";
import type { ComingAnswer, EditionAnswer } from "./answers.ts";
import { editionArgument, idArgument } from "./arguments.ts";
import { comingText } from "./coming-text.ts";
import { answer, withJson, type Context } from "./context.ts";
import { argument, UsageError } from "./failure.ts";

interface EditOptions {
  json?: boolean;
  pin?: number;
  order?: number[];
  leaveOut?: number[];
  takeBack?: number[];
  title?: Worded[];
  summary?: Worded[];
  introduction?: string;
  subject?: string;
  reset?: boolean;
}

interface Worded {
  id: number;
  text: string;
}

/** `edition edit`: shows the coming edition, and changes it where options say so. */
export function addEditionEdit(edition: Command, { terminal, client }: Context): void {
  withJson(edition.command("edit").description("show and change the coming edition: order, words, what stays out"))
    .argument(
      "[edition]",
      "one that is held, whose words alone can be changed; the coming one if left out",
      editionArgument,
    )
    .option("--pin <id>", "make an article the lead, for every reader who gets it", idArgument)
    .option("--order <ids>", "the articles that come first, such as 12,7,9", idsArgument)
    .option("--leave-out <id>", "keep an article for the next edition; may be repeated", collectIds)
    .option("--take-back <id>", "take in one that was left out; may be repeated", collectIds)
    .option("--title <id=text>", "own headline in this edition, or none to undo; may be repeated", collectWorded)
    .option("--summary <id=text>", "own summary in this edition, or none to undo; may be repeated", collectWorded)
    .option("--introduction <text>", "plain text above the articles; empty for none")
    .option("--subject <text>", "subject of every mail; empty for each reader's first headline")
    .option("--reset", "undo all that was changed before")
    .action(async (name: string | undefined, options: EditOptions) => {
      if (name !== undefined) {
        const json = heldChangeOf(options);
        const held = await client().ask<EditionAnswer>("PUT", `/editions/${name}/words`, { json });
        return answer(
          terminal,
          options,
          held,
          (value) => `Edition ${value.name} is ${value.state}, with the new words.`,
        );
      }
      const server = client();
      const shown = await server.ask<ComingAnswer>("GET", "/editions/next");
      const change = changeOf(options, shown);
      const now =
        Object.keys(change).length === 0
          ? shown
          : await server.ask<ComingAnswer>("PUT", "/editions/next", { json: { ...change, revision: shown.revision } });
      answer(terminal, options, now, comingText);
    });
}

/** Of a held edition: words alone. */
export function heldChangeOf(options: EditOptions): Record<string, unknown> {
  const { introduction, subject, title = [], summary = [], json: _json, ...others } = options;
  const some = introduction !== undefined || subject !== undefined || title.length + summary.length > 0;
  if (Object.keys(others).length > 0 || !some) {
    throw new UsageError(
      "Of a held edition change --title, --summary, --introduction or --subject; the rest is frozen.",
    );
  }
  const words: Record<number, { title?: string; summary?: string }> = {};
  for (const { id, text } of title) words[id] = { ...words[id], title: text };
  for (const { id, text } of summary) words[id] = { ...words[id], summary: text };
  return {
    ...(introduction === undefined ? {} : { introduction: introduction || null }),
    ...(subject === undefined ? {} : { subject: subject || null }),
    ...(Object.keys(words).length === 0 ? {} : { words }),
  };
}

/** What the options ask for, on top of what is there. */
export function changeOf(options: EditOptions, shown: ComingAnswer): Record<string, unknown> {
  const { pin, order, leaveOut = [], takeBack = [], title = [], summary = [], introduction, subject, reset } = options;
  const change: Record<string, unknown> = reset
    ? { introduction: null, subject: null, first: [], leftOut: [], words: null }
    : {};
  if (introduction !== undefined) change["introduction"] = introduction || null;
  if (subject !== undefined) change["subject"] = subject || null;
  if (pin !== undefined || order !== undefined) {
    const placed = reset ? [] : shown.articles.filter((one) => one.placed).map(({ id }) => id);
    const rest = order ?? placed;
    change["first"] = pin === undefined ? rest : [pin, ...rest.filter((id) => id !== pin)];
  }
  if (leaveOut.length + takeBack.length > 0) {
    const out = reset ? [] : shown.articles.filter((one) => one.leftOut).map(({ id }) => id);
    change["leftOut"] = [...out, ...leaveOut].filter((id) => !takeBack.includes(id));
  }
  if (title.length + summary.length > 0) {
    const words: Record<number, { title?: string | null; summary?: string | null }> = {};
    for (const { id, text } of title) words[id] = { ...words[id], title: text || null };
    for (const { id, text } of summary) words[id] = { ...words[id], summary: text || null };
    change["words"] = words;
  }
  return change;
}

const idsArgument = argument((raw: string) => raw.split(",").map((one) => idArgument(one.trim())));

function collectIds(raw: string, before: number[] = []): number[] {
  return [...before, idArgument(raw)];
}

function collectWorded(raw: string, before: Worded[] = []): Worded[] {
  const [, id, text] = /^(\d+)=(.*)$/s.exec(raw) ?? [];
  if (id === undefined || text === undefined) {
    return argument((value) => {
      throw wrongValue(value, "an article's own words; expected ID=TEXT");
    })(raw);
  }
  return [...before, { id: idArgument(id), text }];
}
