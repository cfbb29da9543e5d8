import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Refusal, type Reason } from "../base/errors.ts";
import { resolveTags } from "../articles/tag-store.ts";
import { analyzeAfter } from "../db/sql.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { parseAddress, parseAnyAddress } from "../base/address.ts";
import { confirmPending, type Vouched, whyNotAdded } from "./add.ts";
import { type ExportFormat, toolNames } from "./export-formats.ts";
import type { ImportLine, ImportRow, Leaver, Recognised, RefusedLine } from "./import-rows.ts";
import { lockBulkChanges } from "./lock.ts";
import { insertSubscribers, type NewSubscriber } from "./insert.ts";
import { findSuppressions, liftErasures } from "./suppressions.ts";
import { suppressLeavers } from "./suppress-leavers.ts";

export interface ImportOptions {
  /** Import nothing if a line is refused. */
  strict: boolean;
  /** Report only. */
  dryRun: boolean;
  /** The operator vouches for the consent of lines without a status. */
  confirmed: boolean;
  /** Create unknown tags instead of refusing the line. */
  createTags: boolean;
  /** Readers without a tag follow all news, instead of being refused. */
  allTags?: boolean;
  actor: string;
}

export interface ImportReport {
  /** The tool that exported the list, if it was recognised. */
  tool: ExportFormat | null;
  lines: number;
  added: number;
  updated: number;
  unchanged: number;
  /** Addresses that left elsewhere and are suppressed now. */
  suppressed: number;
  /** The first 1,000 refused lines, in order. */
  refused: RefusedLine[];
  /** All refused lines. */
  refusedCount: number;
  /** False for a dry run, and when `strict` refused the list. */
  imported: boolean;
}

interface Checked extends ImportRow {
  line: number;
  address: string;
  key: string;
}

interface CheckedLeaver extends Leaver {
  line: number;
  key: string;
}

/** Refused lines in a report: a response of about 100 kB. */
const mostReported = 1_000;
/** Lines that are imported at once. Small numbers keep each statement short: the embedded engine blocks the event loop. */
const chunkSize = { lines: 1_000, readers: 200, tags: 1_000 };
/** Unknown tags that a reason lists. */
const mostNamed = 5;

/**
 * Imports readers from a list. Each line is checked alone and reported by number. Suppressed and unsubscribed addresses are
 * never added again, and erased ones only with a newer consent. An active line confirms a pending reader. People who left
 * the tool that exported the list are suppressed (see `suppressLeavers`). The import is one transaction. Memory does not grow with the list.
 */
export async function importSubscribers(
  deps: { db: Db; clock: Clock; options: { secret: string } },
  lines: Lines,
  options: ImportOptions,
): Promise<ImportReport> {
  const report: ImportReport = {
    tool: null,
    lines: 0,
    added: 0,
    updated: 0,
    unchanged: 0,
    suppressed: 0,
    refused: [],
    refusedCount: 0,
    imported: false,
  };
  const undo = new Error("nothing is kept");
  const now = deps.clock.now();
  const chunks = inChunks(lines, { now, allTags: options.allTags === true }, (tool) => {
    report.tool = tool;
  });
  let next = await chunks.next();
  // Refused lines before the first reader need no transaction, which would block the embedded engine.
  for (; !next.done && isRefused(next.value); next = await chunks.next()) count(report, next.value, []);
  try {
    await deps.db.transaction().execute(async (tx) => {
      await lockBulkChanges(tx);
      if (!next.done)
        await sql`create temp table import_lines (key text primary key, line int) on commit drop`.execute(tx);
      for (; !next.done; next = await chunks.next()) {
        const later = isRefused(next.value)
          ? []
          : await takeChunk(tx, deps.options.secret, next.value, options, now, report);
        count(report, next.value, later);
      }
      if (options.dryRun || (options.strict && report.refusedCount > 0)) throw undo;
      const { tool, added, updated, suppressed, refusedCount } = report;
      await writeAudit(tx, {
        at: now,
        actor: options.actor,
        action: "subscribers import",
        subject: "subscribers",
        detail: { ...(tool ? { tool } : {}), lines: report.lines, added, updated, suppressed, refused: refusedCount },
      });
    });
    report.imported = true;
  } catch (error) {
    if (error !== undo) throw error;
  }
  if (report.imported) {
    const written = report.added + report.updated;
    await analyzeAfter(deps.db, { subscribers: written, subscriber_tags: written, consents: written });
  }
  return report;
}

type Lines = AsyncIterable<ImportLine | Recognised> | Iterable<ImportLine | Recognised>;

interface Chunk {
  rows: Checked[];
  leavers: CheckedLeaver[];
  refused: RefusedLine[];
}

function isRefused({ rows, leavers }: Chunk): boolean {
  return rows.length === 0 && leavers.length === 0;
}

interface CheckOptions {
  now: Date;
  allTags: boolean;
}

async function* inChunks(
  lines: Lines,
  options: CheckOptions,
  recognised: (tool: ExportFormat) => void,
): AsyncGenerator<Chunk> {
  let chunk: Chunk = { rows: [], leavers: [], refused: [] };
  let tags = 0;
  for await (const line of lines) {
    if ("tool" in line) {
      recognised(line.tool);
      continue;
    }
    const checked = check(line, options);
    if ("reasons" in checked) chunk.refused.push(checked);
    else if ("suppress" in checked) chunk.leavers.push(checked);
    else {
      chunk.rows.push(checked);
      tags += checked.tags.length;
    }
    const { rows, leavers, refused } = chunk;
    const readers = rows.length + leavers.length;
    if (readers + refused.length < chunkSize.lines && readers < chunkSize.readers && tags < chunkSize.tags) continue;
    yield chunk;
    chunk = { rows: [], leavers: [], refused: [] };
    tags = 0;
  }
  yield chunk;
}

/** Adds a chunk's lines to the report, refused lines in list order. */
function count(report: ImportReport, { rows, leavers, refused }: Chunk, later: readonly RefusedLine[]): void {
  report.lines += rows.length + leavers.length + refused.length;
  report.refusedCount += refused.length + later.length;
  const room = mostReported - report.refused.length;
  if (room > 0) report.refused.push(...[...refused, ...later].sort((a, b) => a.line - b.line).slice(0, room));
}

function check(line: ImportLine, { now, allTags }: CheckOptions): Checked | CheckedLeaver | RefusedLine {
  if ("reasons" in line) return line;
  try {
    if ("leaver" in line) {
      const { address, key } = parseAnyAddress(line.leaver.address);
      return { ...line.leaver, line: line.line, address, key };
    }
    const { address, key } = parseAddress(line.row.address);
    const followsNothing = line.row.tags.length === 0 && !line.row.allTags;
    if (followsNothing && !allTags)
      return { line: line.line, reasons: [{ code: "nothing_followed", details: { address } }] };
    if (line.row.confirmedAt !== null && line.row.confirmedAt > now)
      return { line: line.line, reasons: [{ code: "consent_in_future", details: { address } }] };
    return { ...line.row, allTags: line.row.allTags || followsNothing, line: line.line, address, key };
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === null) throw error;
    return { line: line.line, reasons: [{ code: error.code, details: error.details }] };
  }
}

/** @returns the refused lines */
async function takeChunk(
  tx: Tx,
  secret: string,
  { rows: chunk, leavers }: Chunk,
  options: ImportOptions,
  now: Date,
  report: ImportReport,
): Promise<RefusedLine[]> {
  // First, so that a list with both lines for an address does not subscribe it.
  const refused = await takeLeavers(tx, secret, leavers, report, now);
  if (chunk.length === 0) return refused;
  const keys = chunk.map((row) => row.key);
  const firstLines = await firstLinesOf(tx, chunk);
  const suppressions = await findSuppressions(tx, secret, keys);
  const found = await tx
    .selectFrom("subscribers")
    .select(["id", "address_key", "status"])
    .where("address_key", "=", sql<string>`any(${keys})`)
    .execute();
  const known = new Map(found.map((row) => [row.address_key, row]));
  const tagIds = await tagIdsOf(tx, chunk, options.createTags, now);
  const news: NewSubscriber[] = [];
  const waiting: Vouched[] = [];
  const present: Wish[] = [];
  for (const row of chunk) {
    const refuse = (code: Reason["code"], details: Reason["details"]): unknown =>
      refused.push({ line: row.line, reasons: [{ code, details }] });
    const first = firstLines.get(row.key)!;
    const unknown = row.tags.filter((name) => !tagIds.has(name));
    const subscriber = known.get(row.key);
    const as = newSubscriber(row, tagIds, options, now);
    const agreedAt = as.status === "active" ? row.confirmedAt : null;
    const wrong = whyNotAdded(row.address, suppressions.get(row.key), agreedAt);
    const { address } = row;
    if (first !== row.line) refuse("import_address_repeated", { address, first });
    else if (wrong !== null) refuse(wrong.code, wrong.details);
    else if (subscriber?.status === "unsubscribed" || subscriber?.status === "suppressed") {
      refuse("subscriber_left", { address, status: subscriber.status });
    } else if (unknown.length > 0) {
      const names = unknown.slice(0, mostNamed).map((name) => JSON.stringify(name));
      const more = Math.max(0, unknown.length - mostNamed);
      refuse("import_tags_unknown", { tags: names.join(", "), more });
    } else if (!subscriber) news.push(as);
    else if (subscriber.status === "pending" && as.status === "active") waiting.push({ id: subscriber.id, as });
    else present.push({ id: subscriber.id, tagIds: as.tagIds, allTags: as.allTags });
  }
  const confirmed = (await confirmPending(tx, waiting, now)).size;
  const updated = await widen(tx, present);
  report.updated += confirmed + updated;
  report.unchanged += waiting.length + present.length - confirmed - updated;
  report.added += (await insertSubscribers(tx, news, now)).size;
  const taken = [...news, ...waiting.map(({ as }) => as)].map(({ addressKey }) => addressKey);
  await liftErasures(
    tx,
    secret,
    taken.filter((key) => suppressions.has(key)),
  );
  return refused;
}

/** @returns the refused lines */
async function takeLeavers(
  tx: Tx,
  secret: string,
  leavers: readonly CheckedLeaver[],
  report: ImportReport,
  now: Date,
): Promise<RefusedLine[]> {
  if (leavers.length === 0) return [];
  // Address keys contain no spaces. The same address may also have a line as a reader.
  const lineKey = ({ key }: CheckedLeaver): string => `left ${key}`;
  const firstLines = await firstLinesOf(
    tx,
    leavers.map((one) => ({ line: one.line, key: lineKey(one) })),
  );
  const refused: RefusedLine[] = [];
  const taken = leavers.filter((one) => {
    const first = firstLines.get(lineKey(one))!;
    if (first === one.line) return true;
    refused.push({
      line: one.line,
      reasons: [{ code: "import_address_repeated", details: { address: one.address, first } }],
    });
    return false;
  });
  const detail = report.tool && toolNames[report.tool];
  const { suppressed, unchanged, kept } = await suppressLeavers(
    tx,
    secret,
    taken.map(({ key, suppress, at }) => ({ addressKey: key, reason: suppress, at, detail })),
    now,
  );
  report.suppressed += suppressed;
  report.unchanged += unchanged;
  for (const { line, key, address } of taken) {
    const since = kept.get(key);
    if (since === undefined) continue;
    const date = since.toISOString().slice(0, 10);
    refused.push({ line, reasons: [{ code: "import_reader_signed_up_here", details: { address, date } }] });
  }
  return refused;
}

/** The first line of each address, kept in the database because a list can have millions. */
async function firstLinesOf(tx: Tx, chunk: readonly { key: string; line: number }[]): Promise<Map<string, number>> {
  const keys = chunk.map((row) => row.key);
  await sql`
    insert into import_lines select * from unnest(${keys}::text[], ${chunk.map((row) => row.line)}::int[])
    on conflict do nothing`.execute(tx);
  const { rows } = await sql<{ key: string; line: number }>`
    select key, line from import_lines where key = any(${keys})`.execute(tx);
  return new Map(rows.map(({ key, line }) => [key, line]));
}

interface Wish {
  id: number;
  tagIds: readonly number[];
  allTags: boolean;
}

/** Adds tags to present readers. @returns how many readers changed */
async function widen(tx: Tx, wishes: readonly Wish[]): Promise<number> {
  if (wishes.length === 0) return 0;
  const pairs = wishes.flatMap(({ id, tagIds }) => tagIds.map((tagId) => ({ id, tagId })));
  const { rows } = await sql`
    with tagged as (
      insert into subscriber_tags (subscriber_id, tag_id)
      select * from unnest(${pairs.map(({ id }) => id)}::bigint[], ${pairs.map(({ tagId }) => tagId)}::int[])
      on conflict do nothing returning subscriber_id as id
    ), widened as (
      update subscribers set all_tags = true
      where id = any(${wishes.filter(({ allTags }) => allTags).map(({ id }) => id)}::bigint[]) and not all_tags
      returning id
    )
    select id from tagged union select id from widened`.execute(tx);
  return rows.length;
}

function newSubscriber(row: Checked, tagIds: Map<string, number>, options: ImportOptions, now: Date): NewSubscriber {
  const active = row.status === "active" || (row.status === null && options.confirmed);
  return {
    address: row.address,
    addressKey: row.key,
    status: active ? "active" : "pending",
    allTags: row.allTags,
    tagIds: [...new Set(row.tags.flatMap((name) => tagIds.get(name) ?? []))],
    timezone: row.timezone,
    confirmedAt: active ? (row.confirmedAt ?? now) : null,
    consent: { method: "import", wording: row.consent, tags: row.tags },
  };
}

/** By name as written, without unknown names unless `create`. */
async function tagIdsOf(tx: Tx, chunk: readonly Checked[], create: boolean, now: Date): Promise<Map<string, number>> {
  const names = [...new Set(chunk.flatMap((row) => row.tags))];
  return resolveTags(tx, now, names, { create });
}
