import { parse } from "csv-parse";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import { cleanTags } from "../articles/tags.ts";
import { echo, invalid, Refusal, type Reason } from "../base/errors.ts";
import type { ErrorCode } from "../texts/catalogue.ts";
import { parseTimezone } from "../base/schedule-values.ts";
import { columnKey, type ExportFormat, readExportLine, recogniseExport } from "./export-formats.ts";
import { unguardCell } from "./spreadsheet.ts";
import type { SuppressionReason } from "./suppressions.ts";

/** One parsed line of an import list. */
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

/** An address that left, bounced or complained elsewhere. */
export interface Leaver {
  address: string;
  suppress: SuppressionReason;
  /** When; null when unknown. */
  at: Date | null;
}

export type ImportLine = { line: number; row: ImportRow } | { line: number; leaver: Leaver } | RefusedLine;

/** Comes before the lines of a list that another tool exported. */
export interface Recognised {
  tool: ExportFormat;
}

/** A line that cannot be imported. */
export interface RefusedLine {
  line: number;
  reasons: Reason[];
}

const truth = z.union([z.boolean(), z.string().transform((text) => /^(true|yes|1|y|all)$/i.test(text.trim()))]);
const absent = (value: unknown): unknown => (value === "" || value === null ? undefined : value);

const rowSchema = z.object({
  address: z.string(),
  tags: z.preprocess(absent, z.union([z.array(z.string()), z.string().transform(splitTags)]).default([])),
  all_tags: z.preprocess(absent, truth.default(false)),
  status: z.preprocess(absent, z.enum(["pending", "active"]).optional()),
  confirmed_at: z.preprocess(absent, z.coerce.date().optional()),
  timezone: z.preprocess(absent, z.string().transform(zoneName).optional()),
  consent: z.preprocess(absent, z.string().refine(isText).optional()),
});

/** What is wrong when a field does not fit the schema. */
const fieldCodes: Readonly<Record<string, ErrorCode>> = {
  address: "import_address_missing",
  tags: "import_tags_invalid",
  status: "import_status_invalid",
  confirmed_at: "import_time_invalid",
  timezone: "timezone_invalid",
  consent: "import_consent_invalid",
};

/** Neither PostgreSQL nor JSON takes NUL, and half a surrogate pair is no character. */
function isText(value: string): boolean {
  return !value.includes("\0") && !/\p{Surrogate}/u.test(value);
}

const addressNames = new Set(["address", "email", "e-mail", "email address", "email_address", "mail"]);
const columns = new Set(["tags", "all_tags", "status", "confirmed_at", "timezone", "consent"]);

function zoneName(raw: string, context: z.RefinementCtx): string {
  try {
    return parseTimezone(raw);
  } catch {
    context.addIssue({ code: "custom" });
    return z.NEVER;
  }
}

/** The list's column names, in lower case, to ours. */
export type ColumnMap = ReadonlyMap<string, string>;

const noMap: ColumnMap = new Map();

/**
 * Reads a mapping of columns, such as `address=E-Mail` and `tags=Interests`: our name, then the list's.
 * @throws Refusal 422 for an unknown name of ours, and for a column that is mapped twice
 */
export function parseColumnMap(pairs: readonly string[]): ColumnMap {
  const map = new Map<string, string>();
  for (const pair of pairs) {
    const [, ours = "", theirs = ""] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    const field = ours.trim().toLowerCase();
    const known = field === "address" || columns.has(field);
    if (!known || theirs.trim() === "") {
      throw invalid("column_mapping_invalid", pair, { columns: ["address", ...columns].join(", ") });
    }
    if (map.has(folded(theirs)) || [...map.values()].includes(field)) {
      throw invalid("column_mapped_twice", pair);
    }
    map.set(folded(theirs), field);
  }
  return map;
}

/** UTF-8 bytes of a line, and characters of a CSV record on several lines. 30 tags of the maximum length take 11 kB. */
const longestLine = 32_000;

/**
 * Reads CSV with a header line. The address column is called address or email, unless `map` names another; `tags` holds
 * names separated by `|` (written `\|` inside a name). Unknown columns are ignored. The export of another tool is
 * recognised by its header; then `map` replaces what would be read for the mapped columns.
 */
export async function* readCsv(input: Readable, map: ColumnMap = noMap): AsyncGenerator<ImportLine | Recognised> {
  let tool: ExportFormat | null = null;
  let reported = false;
  const parser = parse({
    bom: true,
    columns: (header: string[]) => {
      const missing = [...map.keys()].find((theirs) => !header.some((raw) => folded(raw) === theirs));
      if (missing !== undefined) throw new Refusal(422, "import_column_missing", { column: missing });
      tool = recogniseExport(header);
      if (tool === null) return header.map((raw) => columnName(raw, map) ?? false);
      return header.map((raw) => mappedName(map.get(folded(raw))) ?? columnKey(raw));
    },
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: longestLine,
    info: true,
    trim: true,
  });
  const long: number[] = [];
  const noteLong = (number: number): void => {
    if (number === 1) throw new Refusal(422, "import_header_too_long", { most: longestLine });
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
      // The parser's `cast` option would create an object for each cell, which takes most of the time.
      for (const [name, cell] of Object.entries(record)) record[name] = unguardCell(cell);
      if (tool === null) {
        yield understood(line, record);
        continue;
      }
      if (!reported) yield { tool };
      reported = true;
      yield exported(line, tool, record);
    }
  } catch (error) {
    yield { line: line + 1, reasons: [csvReason(error)] };
  } finally {
    lines.destroy();
  }
  for (const left of long) yield refusedLong(left);
}

/** A mapped column among those of another tool, which contain no spaces. */
function mappedName(ours: string | undefined): string | undefined {
  return ours === undefined ? undefined : `our ${ours}`;
}

/** A line of another tool's export. */
function exported(line: number, tool: ExportFormat, record: Record<string, string>): ImportLine {
  const read = readExportLine(tool, record);
  const mapped: Record<string, string> = {};
  for (const [name, cell] of Object.entries(record)) if (name.startsWith("our ")) mapped[name.slice(4)] = cell;
  if ("reader" in read) return understood(line, { ...read.reader, ...mapped });
  const at = read.at === undefined ? null : new Date(read.at);
  const address = mapped["address"] ?? read.address;
  return { line, leaver: { address, suppress: read.suppress, at: at && isTime(at) ? at : null } };
}

function isTime(at: Date): boolean {
  return !Number.isNaN(at.getTime());
}

function csvReason(error: unknown): Reason {
  if (error instanceof Refusal && error.code !== null) return { code: error.code, details: error.details };
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "CSV_MAX_RECORD_SIZE") return { code: "import_record_too_long", details: { most: longestLine } };
  return { code: "import_csv_invalid", details: { reason: message.replace(/\.$/, "") } };
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
        yield { line, reasons: [{ code: "import_line_not_json", details: {} }] };
      }
    }
  }
}

function refusedLong(line: number): ImportLine {
  return { line, reasons: [{ code: "import_line_too_long", details: { most: longestLine } }] };
}

/** Bytes that are read before the event loop gets a turn. They contain at most 2,000 lines. */
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
  /** Bytes of the unfinished line, held or not. */
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

/** Tag names in one CSV field, the inverse of `splitTags`. */
export function joinTags(tags: readonly string[]): string {
  return tags.map((tag) => tag.replaceAll("\\", "\\\\").replaceAll("|", "\\|")).join("|");
}

function splitTags(text: string): string[] {
  const tags = text.match(/(?:\\.|[^|\\])+/gs) ?? [];
  return tags.map((tag) => tag.replace(/\\(.)/gs, "$1"));
}

/** Our name of a column, null for an unknown one. A mapped field is read only from its mapped column. */
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
  // A file that is not a list can have millions of such lines, and the schema would take ten times as long.
  if (!("address" in record)) return { line, reasons: [fieldReason("address", record)] };
  const parsed = rowSchema.safeParse(record);
  if (!parsed.success)
    return { line, reasons: parsed.error.issues.map(({ path }) => fieldReason(String(path[0]), record)) };
  const { address, tags, all_tags, status = null, confirmed_at = null, timezone = null, consent = null } = parsed.data;
  return {
    line,
    row: { address, tags: cleanTags(tags), allTags: all_tags, status, confirmedAt: confirmed_at, timezone, consent },
  };
}

function fieldReason(field: string, record: object): Reason {
  const code = fieldCodes[field] ?? "import_field_invalid";
  const zone = code === "timezone_invalid" ? { zone: echo(String((record as { timezone: unknown }).timezone)) } : {};
  return { code, details: { field, ...zone } };
}
