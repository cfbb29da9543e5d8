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
  hide?: number[];
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
    .argument("[edition]", "one that is held, such as 2026-11-24; the coming one if left out", editionArgument)
    .option("--pin <id>", "make an article the lead, for every reader who gets it", idArgument)
    .option("--order <ids>", "the articles that come first, such as 12,7,9", idsArgument)
    .option("--leave-out <id>", "keep an article for the next edition; may be repeated", collectIds)
    .option("--take-back <id>", "take in one that was left out; may be repeated", collectIds)
    .option("--hide <id>", "leave an article out of a held edition and of every other; may be repeated", collectIds)
    .option("--title <id=text>", "own headline in this edition, or none to undo; may be repeated", collectWorded)
    .option("--summary <id=text>", "own summary in this edition, or none to undo; may be repeated", collectWorded)
    .option("--introduction <text>", "plain text above the articles; empty for none")
    .option("--subject <text>", "subject of every mail; empty for each reader's first headline")
    .option("--reset", "undo all that was changed before")
    .action(async (name: string | undefined, options: EditOptions) => {
      if (name !== undefined) {
        const json = heldChangeOf(options);
        const held = await client().ask<EditionAnswer>("PUT", `/editions/${name}`, { json });
        return answer(terminal, options, held, (value) =>
          `Edition ${value.name} is ${value.state}, with the changes. ${value.reason ?? ""}`.trimEnd(),
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

/** What the options ask for of a held edition; what they do not name stays as it is. */
export function heldChangeOf(options: EditOptions): Record<string, unknown> {
  const { introduction, subject, pin, order, leaveOut, takeBack, hide, title = [], summary = [], reset } = options;
  if (reset) throw new UsageError("What was frozen cannot be reset: change a held edition step by step.");
  const words: Record<number, { title?: string; summary?: string }> = {};
  for (const { id, text } of title) words[id] = { ...words[id], title: text };
  for (const { id, text } of summary) words[id] = { ...words[id], summary: text };
  const placed = pin === undefined ? order : [pin, ...(order ?? []).filter((id) => id !== pin)];
  const change = {
    ...(introduction === undefined ? {} : { introduction: introduction || null }),
    ...(subject === undefined ? {} : { subject: subject || null }),
    ...(Object.keys(words).length === 0 ? {} : { words }),
    ...(placed === undefined ? {} : { first: placed }),
    ...(leaveOut === undefined ? {} : { leaveOut }),
    ...(takeBack === undefined ? {} : { takeBack }),
    ...(hide === undefined ? {} : { hide }),
  };
  if (Object.keys(change).length > 0) return change;
  throw new UsageError("Say what is to change in it, such as --leave-out ID; `dayletter edition show` has the ids.");
}

/** What the options ask for, on top of what is there. */
export function changeOf(options: EditOptions, shown: ComingAnswer): Record<string, unknown> {
  const { pin, order, leaveOut = [], takeBack = [], title = [], summary = [], introduction, subject, reset } = options;
  if (options.hide) throw new UsageError("To hide an article that no edition has yet: `dayletter articles hide ID`.");
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
