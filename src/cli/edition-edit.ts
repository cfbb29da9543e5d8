import type { Command } from "commander";
import type { ComingAnswer, EditionAnswer } from "../web/api/answers.ts";
import { editionArgument, idArgument } from "./arguments.ts";
import { answer, withJson, type Context } from "./context.ts";
import { invalidValue, UsageError } from "./failure.ts";
import { facts, table } from "./table.ts";
import { dueText } from "./format.ts";

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

/** `edition edit` shows the next edition, and applies the changes in its options. */
export function addEditionEdit(edition: Command, { terminal, client }: Context): void {
  withJson(edition.command("edit").description("show or change the next edition, or a held one"))
    .argument("[edition]", "a held edition such as 2026-11-24; the next edition if omitted", editionArgument)
    .option("--pin <id>", "show this article first to every reader who gets it", idArgument)
    .option("--order <ids>", "articles to show first, such as 12,7,9", idsArgument)
    .option("--leave-out <id>", "leave this article for the following edition; can be repeated", collectIds)
    .option("--take-back <id>", "put back an article that was left out; can be repeated", collectIds)
    .option(
      "--hide <id>",
      "remove this article from a held edition and all future editions; can be repeated",
      collectIds,
    )
    .option("--title <id=text>", "headline in this edition only, empty to undo; can be repeated", collectWorded)
    .option("--summary <id=text>", "summary in this edition only, empty to undo; can be repeated", collectWorded)
    .option("--introduction <text>", "text above the articles, in Markdown; empty for none")
    .option("--subject <text>", "subject of all emails; empty for each reader's first headline")
    .option("--reset", "undo all earlier changes")
    .action(async (name: string | undefined, options: EditOptions) => {
      if (name !== undefined) {
        const json = heldChangeOf(options);
        const held = await client().request<EditionAnswer>("PUT", `/editions/${name}`, { json });
        return answer(terminal, options, held, (value) =>
          `Edition ${value.name} was changed. It is ${value.state}. ${value.reason ?? ""}`.trimEnd(),
        );
      }
      const server = client();
      const shown = await server.request<ComingAnswer>("GET", "/editions/next");
      const change = changeOf(options, shown);
      const now =
        Object.keys(change).length === 0
          ? shown
          : await server.request<ComingAnswer>("PUT", "/editions/next", {
              json: { ...change, revision: shown.revision },
            });
      answer(terminal, options, now, comingText);
    });
}

/** The changes to a held edition. Everything that has no option stays the same. */
export function heldChangeOf(options: EditOptions): Record<string, unknown> {
  const { introduction, subject, pin, order, leaveOut, takeBack, hide, title = [], summary = [], reset } = options;
  if (reset) throw new UsageError("A held edition cannot be reset. Undo its changes one by one.");
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
  throw new UsageError(
    "Specify at least one change, such as --leave-out ID. To see the IDs, run `dayletter edition show`.",
  );
}

/** The changes to the next edition, added to its earlier changes. */
export function changeOf(options: EditOptions, shown: ComingAnswer): Record<string, unknown> {
  const { pin, order, leaveOut = [], takeBack = [], title = [], summary = [], introduction, subject, reset } = options;
  if (options.hide)
    throw new UsageError(
      "--hide works for held editions only. To hide another article, run `dayletter articles hide ID`.",
    );
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

const idsArgument = (raw: string): number[] => raw.split(",").map((one) => idArgument(one.trim()));

function collectIds(raw: string, before: number[] = []): number[] {
  return [...before, idArgument(raw)];
}

function collectWorded(raw: string, before: Worded[] = []): Worded[] {
  const [, id, text] = /^(\d+)=(.*)$/s.exec(raw) ?? [];
  if (id === undefined || text === undefined) {
    throw invalidValue(raw, "a text for an article", "Use ID=TEXT.");
  }
  return [...before, { id: idArgument(id), text }];
}

/** The next edition as `edition edit` shows it. */
export function comingText(coming: ComingAnswer, columns: number | null): string {
  const { date, send, timezone, introduction, subject, articles, findings } = coming;
  const summary = facts([
    ["Edition", date],
    ["Due", send === null ? "no more dates in the schedule" : dueText(send, timezone)],
    ["Subject", subject ?? "the headline of each reader's first article"],
    ["Introduction", introduction === null ? "none" : introduction.replace(/\n+/g, " / ")],
    ["Would be held", findings.length === 0 ? null : findings.join(" ")],
  ]);
  if (articles.length === 0) return `${summary}\n\nNo articles are waiting for it yet.`;
  const rows = articles.map((article) => [String(article.id), marks(article), article.title, article.tags.join(", ")]);
  const titles = [{ title: "ID", right: true }, { title: "Edited" }, { title: "Headline" }, { title: "Tags" }];
  return `${summary}\n\n${table(titles, rows, columns)}`;
}

function marks({ leftOut, placed, original }: ComingAnswer["articles"][number]): string {
  if (leftOut) return "left out";
  return [...(placed ? ["moved"] : []), ...(original ? ["reworded"] : [])].join(", ");
}
