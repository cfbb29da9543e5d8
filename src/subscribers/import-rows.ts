import { parse } from "csv-parse";
import type { Readable } from "node:stream";
import { z } from "zod";
import { cleanTags } from "../articles/tags.ts";
import { Refusal, reasonOf, wrongValue } from "../base/errors.ts";
import { parseTimezone } from "../schedule/settings.ts";
import { unguardCell } from "./spreadsheet.ts";

/** One line of an import list, understood. */
export interface ImportRow {
  address: string;
  tags: string[];
  allTags: boolean;
  status: "pending" | "active" | null;
  confirmedAt: Date | null;
  /** IANA name; null for the publication's. */
  timezone: string | null;
  /** How and where the reader agreed, in the publisher's words. */
  consent: string | null;
}

export type ImportLine = { line: number; row: ImportRow } | { line: number; problem: string };

const truth = z.union([z.boolean(), z.string().transform((text) => /^(true|yes|1|y|all)$/i.test(text.trim()))]);
const absent = (value: unknown): unknown => (value === "" || value === null ? undefined : value);

const rowSchema = z.object({
  address: z.string({ error: "there is no address" }),
  tags: z.preprocess(
    absent,
    z
      .union([z.array(z.string()), z.string().transform(splitTags)], { error: "tags must be a list of texts" })
      .default([]),
  ),
  all_tags: z.preprocess(absent, truth.default(false)),
  status: z.preprocess(absent, z.enum(["pending", "active"], { error: "status must be pending or active" }).optional()),
  confirmed_at: z.preprocess(
    absent,
    z.coerce.date({ error: "confirmed_at must be a time such as 2026-11-24T07:00:00Z" }).optional(),
  ),
  timezone: z.preprocess(absent, z.string().transform(zoneName).optional()),
  consent: z.preprocess(
    absent,
    z.string({ error: "consent must be a text" }).refine(isText, "consent must be a text").optional(),
  ),
});

/** Neither PostgreSQL nor JSON takes NUL, and half a surrogate pair is no character. */
function isText(value: string): boolean {
  return !value.includes("\0") && !/\p{Surrogate}/u.test(value);
}

const addressNames = new Set(["address", "email", "e-mail", "email address", "email_address", "mail"]);
const columns = new Set(["tags", "all_tags", "status", "confirmed_at", "timezone", "consent"]);

function zoneName(raw: string, context: z.RefinementCtx): string {
  try {
    return parseTimezone(raw);
  } catch (error) {
    context.addIssue({ code: "custom", message: reasonOf(error).replace(/\.$/, "") });
    return z.NEVER;
  }
}

/** What a list calls our columns: theirs, folded as header names are, to ours. */
export type ColumnMap = ReadonlyMap<string, string>;

export const noMap: ColumnMap = new Map();

/**
 * Reads a mapping of columns, such as `address=E-Mail` and `tags=Interests`: our name, then the list's.
 * @throws Refusal 422 for a name that is none of ours, and for one that is mapped twice
 */
export function parseColumnMap(pairs: readonly string[]): ColumnMap {
  const map = new Map<string, string>();
  for (const pair of pairs) {
    const [, ours = "", theirs = ""] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    const field = ours.trim().toLowerCase();
    const known = field === "address" || columns.has(field);
    if (!known || theirs.trim() === "") {
      const names = ["address", ...columns].join(", ");
      throw wrongValue(pair, `a mapping; expected one of ${names}, then "=" and the name of a column of the list`);
    }
    if (map.has(folded(theirs)) || [...map.values()].includes(field)) {
      throw new Refusal(422, `${JSON.stringify(pair)} maps a column that another mapping has already: give each once.`);
    }
    map.set(folded(theirs), field);
  }
  return map;
}

/**
 * Reads CSV with a header line. The address column may be called address or email, unless `map` names another; `tags`
 * holds names between `|` (written `\|` inside a name). Columns that mean nothing here are left alone.
 */
export async function* readCsv(input: Readable, map: ColumnMap = noMap): AsyncGenerator<ImportLine> {
  const parser = input.pipe(
    parse({
      bom: true,
      columns: (header: string[]) => {
        const missing = [...map.keys()].find((theirs) => !header.some((raw) => folded(raw) === theirs));
        if (missing !== undefined) throw new Error(`the header has no column ${JSON.stringify(missing)}`);
        return header.map((raw) => columnName(raw, map));
      },
      cast: unguardCell,
      skip_empty_lines: true,
      relax_column_count: true,
      info: true,
      trim: true,
    }),
  );
  input.on("error", (error) => parser.destroy(error));
  let line = 1;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: object; info: { lines: number } }>) {
      line = info.lines;
      yield understood(line, record);
    }
  } catch (error) {
    yield { line: line + 1, problem: `The rest cannot be read as CSV: ${(error as Error).message}` };
  }
}

/** Reads one JSON object per line, with the same names as the CSV columns; `tags` is a list. */
export async function* readNdjson(input: Readable, map: ColumnMap = noMap): AsyncGenerator<ImportLine> {
  let line = 0;
  for await (const text of linesOf(input)) {
    line += 1;
    if (text.trim() === "") continue;
    try {
      const value: unknown = JSON.parse(text);
      const named = Object.entries(value as object).map(([name, field]) => [columnName(name, map), field] as const);
      yield understood(line, Object.fromEntries(named));
    } catch {
      yield { line, problem: "This line is not a JSON object." };
    }
  }
}

/** Tag names in one CSV field, the way back of `splitTags`. */
export function joinTags(tags: readonly string[]): string {
  return tags.map((tag) => tag.replaceAll("\\", "\\\\").replaceAll("|", "\\|")).join("|");
}

function splitTags(text: string): string[] {
  const tags = text.match(/(?:\\.|[^|\\])+/gs) ?? [];
  return tags.map((tag) => tag.replace(/\\(.)/gs, "$1"));
}

/** Our name of a column. What is mapped is read from that column alone, whatever others are called. */
function columnName(raw: string, map: ColumnMap): string {
  const name = folded(raw);
  const mapped = map.get(name);
  if (mapped !== undefined) return mapped;
  const plain = name.replaceAll(/[\s-]+/g, "_");
  const ours = addressNames.has(name) ? "address" : columns.has(plain) ? plain : null;
  return ours === null || [...map.values()].includes(ours) ? `unused:${raw}` : ours;
}

function folded(header: string): string {
  return header.trim().toLowerCase();
}

function understood(line: number, record: object): ImportLine {
  const parsed = rowSchema.safeParse(record);
  if (!parsed.success)
    return { line, problem: `Line ${line}: ${parsed.error.issues.map((issue) => issue.message).join("; ")}.` };
  const { address, tags, all_tags, status = null, confirmed_at = null, timezone = null, consent = null } = parsed.data;
  return {
    line,
    row: { address, tags: cleanTags(tags), allTags: all_tags, status, confirmedAt: confirmed_at, timezone, consent },
  };
}

async function* linesOf(input: Readable): AsyncGenerator<string> {
  let rest = "";
  input.setEncoding("utf8");
  for await (const chunk of input as AsyncIterable<string>) {
    const parts = (rest + chunk).split(/\r?\n/);
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
