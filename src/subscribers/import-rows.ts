import { parse } from "csv-parse";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { cleanTags } from "../articles/tags.ts";
import { Refusal, reasonOf, wrongValue } from "../base/errors.ts";
import { parseTimezone } from "../base/schedule-values.ts";
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

const noAddress = "there is no address";
const rowSchema = z.object({
  address: z.string({ error: noAddress }),
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

/** UTF-8 bytes of a line, and characters of a CSV record on several lines; 30 tags of the longest kind take 11 kB. */
const longestLine = 32_000;
const longestShown = longestLine.toLocaleString("en");

/**
 * Reads CSV with a header line. The address column may be called address or email, unless `map` names another; `tags`
 * holds names between `|` (written `\|` inside a name). Columns that mean nothing here are left alone.
 */
export async function* readCsv(input: Readable, map: ColumnMap = noMap): AsyncGenerator<ImportLine> {
  const parser = parse({
    bom: true,
    columns: (header: string[]) => {
      const missing = [...map.keys()].find((theirs) => !header.some((raw) => folded(raw) === theirs));
      if (missing !== undefined) throw new Error(`the header has no column ${JSON.stringify(missing)}`);
      return header.map((raw) => columnName(raw, map) ?? false);
    },
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: longestLine,
    info: true,
    trim: true,
  });
  const long: number[] = [];
  const noteLong = (number: number): void => {
    if (number === 1) throw new Error(`the first line is longer than ${longestShown} characters`);
    long.push(number);
  };
  const lines = Readable.from(wholeLines(input, noteLong), { highWaterMark: 1 });
  lines.on("error", (error) => parser.destroy(error));
  let line = 1;
  try {
    for await (const { record, info } of lines.pipe(parser) as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      line = info.lines;
      while (long.length > 0 && long[0]! < line) yield refusedLong(long.shift()!);
      // The parser's `cast` option would build an object for each cell, which takes most of the time.
      for (const [name, cell] of Object.entries(record)) record[name] = unguardCell(cell);
      yield understood(line, record);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "CSV_MAX_RECORD_SIZE"
        ? `a record is longer than ${longestShown} characters. Look for a missing quotation mark`
        : message.replace(/\.$/, "");
    yield { line: line + 1, problem: `The rest cannot be read as CSV: ${why}.` };
  } finally {
    lines.destroy();
  }
  for (const left of long) yield refusedLong(left);
}

/** Reads one JSON object per line, with the same names as the CSV columns; `tags` is a list. */
export async function* readNdjson(input: Readable, map: ColumnMap = noMap): AsyncGenerator<ImportLine> {
  const long: number[] = [];
  let line = 0;
  for await (const lines of wholeLines(input, (number) => long.push(number))) {
    const texts = lines.toString("utf8").split(/\r\n|[\r\n]/);
    if (texts.at(-1) === "") texts.pop();
    for (const text of texts) {
      line += 1;
      if (long[0] === line) yield refusedLong(long.shift()!);
      if (text.trim() === "") continue;
      try {
        const value: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
        const named = Object.entries(value as object).flatMap(([name, field]) => {
          const ours = columnName(name, map);
          return ours === null ? [] : [[ours, field] as const];
        });
        yield understood(line, Object.fromEntries(named));
      } catch {
        yield { line, problem: "This line is not a JSON object." };
      }
    }
  }
}

function refusedLong(line: number): ImportLine {
  return { line, problem: `Line ${line} is longer than ${longestShown} characters.` };
}

/** Bytes that are read before the event loop gets a turn. They hold at most 2,000 lines. */
const bytesAtATime = 4_000;

const lineFeed = 10;
const carriageReturn = 13;

/**
 * Yields the lines of a list, several at a time, each with its line end. A line that is too long is reported by its number
 * and replaced by an empty line, so that the numbers of later lines stay right. At most one line and one chunk of the input
 * are in memory.
 */
async function* wholeLines(input: Readable, onTooLong: (line: number) => void): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  /** Bytes of the line that has not ended yet, held or not. */
  let size = 0;
  let line = 1;
  let last = 0;
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    for (let from = 0; from < bytes.length; from += bytesAtATime) {
      const piece = bytes.subarray(from, from + bytesAtATime);
      let start = 0;
      let end = -1;
      for (let i = 0; i < piece.length; i++) {
        const byte = piece[i]!;
        // A carriage return ends a line by itself unless a line feed follows.
        if (byte === lineFeed || last === carriageReturn) {
          if (end === -1 && size + i > longestLine) {
            if (size <= longestLine) onTooLong(line);
            const returned = last === carriageReturn;
            held = returned && i === 0 ? [Buffer.of(carriageReturn)] : [];
            start = returned && i > 0 ? i - 1 : i;
          }
          end = byte === lineFeed ? i + 1 : i;
          line += 1;
        }
        last = byte;
      }
      if (end !== -1) {
        yield Buffer.concat([...held, piece.subarray(start, end)]);
        held = [];
        size = 0;
      }
      const rest = piece.subarray(Math.max(0, end));
      if (size <= longestLine && size + rest.length > longestLine) onTooLong(line);
      size += rest.length;
      if (size > longestLine) held = [];
      else held.push(rest);
      await setImmediate();
    }
  }
  if (size > 0 && size <= longestLine) yield Buffer.concat(held);
}

/** Tag names in one CSV field, the way back of `splitTags`. */
export function joinTags(tags: readonly string[]): string {
  return tags.map((tag) => tag.replaceAll("\\", "\\\\").replaceAll("|", "\\|")).join("|");
}

function splitTags(text: string): string[] {
  const tags = text.match(/(?:\\.|[^|\\])+/gs) ?? [];
  return tags.map((tag) => tag.replace(/\\(.)/gs, "$1"));
}

/** Our name of a column, null for one of no meaning. What is mapped is read from that column alone. */
function columnName(raw: string, map: ColumnMap): string | null {
  const name = folded(raw);
  const mapped = map.get(name);
  if (mapped !== undefined) return mapped;
  const plain = name.replaceAll(/[\s-]+/g, "_");
  const ours = addressNames.has(name) ? "address" : columns.has(plain) ? plain : null;
  return ours === null || [...map.values()].includes(ours) ? null : ours;
}

function folded(header: string): string {
  return header.trim().toLowerCase();
}

function understood(line: number, record: object): ImportLine {
  // A file that is not a list can have millions of such lines, and the schema takes ten times as long.
  if (!("address" in record)) return { line, problem: `Line ${line}: ${noAddress}.` };
  const parsed = rowSchema.safeParse(record);
  if (!parsed.success)
    return { line, problem: `Line ${line}: ${parsed.error.issues.map((issue) => issue.message).join("; ")}.` };
  const { address, tags, all_tags, status = null, confirmed_at = null, timezone = null, consent = null } = parsed.data;
  return {
    line,
    row: { address, tags: cleanTags(tags), allTags: all_tags, status, confirmedAt: confirmed_at, timezone, consent },
  };
}
