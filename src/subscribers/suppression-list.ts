import { parse } from "csv-parse";
import { sql } from "kysely";
import type { Readable } from "node:stream";
import { z } from "zod";
import { writeAudit } from "../audit/audit.ts";
import { parseAnyAddress, withoutAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import { Refusal, reasonOf, type Reason } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { ErrorCode } from "../texts/catalogue.ts";
import { ownConsents } from "./consents.ts";
import { columnKey } from "./export-formats.ts";
import type { RefusedLine } from "./import-rows.ts";
import { csvLines, unguardCell } from "./spreadsheet.ts";
import { lockBulkChanges, lockReaders } from "./lock.ts";
import { hashReaders } from "./suppressed-readers.ts";
import { listSuppressions, type SuppressionPage } from "./suppression-search.ts";
import {
  complaint,
  erased,
  findSuppressions,
  liftSuppression,
  markSuppressed,
  suppressHashes,
  suppressionRows,
  type SuppressionReason,
} from "./suppressions.ts";
import { addressHash, suppressionKeyId } from "./tokens.ts";

interface ListDeps {
  db: Db;
  options: { secret: string };
}

const header = ["address", "hash", "key_id", "reason", "detail", "date"];
const pageSize = 1_000;

/** All suppressions as CSV, in a format that `importSuppressions` reads. The address is empty where only a hash is stored. */
export async function* exportSuppressions({ db, options }: ListDeps): AsyncGenerator<string> {
  yield csvLines([header]);
  const keyId = suppressionKeyId(options.secret);
  await hashReaders(db, options.secret);
  for (let after: string | null = ""; after !== null;) {
    const page: SuppressionPage = await listSuppressions(db, options.secret, { after, limit: pageSize });
    yield csvLines(
      page.suppressions.map(({ address, hash, reason, detail, createdAt }) => [
        address ?? "",
        hash,
        keyId,
        reason,
        detail ?? "",
        createdAt.toISOString(),
      ]),
    );
    after = page.next;
  }
}

export interface SuppressionsReport {
  lines: number;
  /** New ones, and those with another reason now. */
  suppressed: number;
  unchanged: number;
  /** Active readers who have confirmed a subscription here since, and stay. */
  kept: number;
  /** The first 1,000 refused lines, in order. */
  refused: RefusedLine[];
  refusedCount: number;
  /** False for a dry run, and when `strict` refused the list. */
  imported: boolean;
}

/** Small numbers keep each statement short: the embedded engine blocks the event loop. */
const chunkSize = 200;
const readersAtATime = 500;
const hashesAtATime = 500;
const mostReported = 1_000;

/**
 * Imports a list of suppressions: CSV with an address or a hash, and optionally reason, detail and date. A hash only means
 * something with the same SECRET, so one that was exported with another is refused. Active readers with such an address
 * become suppressed, unless they have confirmed a subscription here since they left. One transaction, and memory does not
 * grow with the list.
 */
export async function importSuppressions(
  { db, clock, options: { secret } }: ListDeps & { clock: Clock },
  list: Readable,
  { strict, dryRun, actor }: { strict: boolean; dryRun: boolean; actor: string },
): Promise<SuppressionsReport> {
  const report: SuppressionsReport = {
    lines: 0,
    suppressed: 0,
    unchanged: 0,
    kept: 0,
    refused: [],
    refusedCount: 0,
    imported: false,
  };
  const now = clock.now();
  const undo = new Error("nothing is kept");
  try {
    await db.transaction().execute(async (tx) => {
      await sql`
        create temp table listed (hash bytea primary key, reason text not null, detail text, at timestamptz not null)
        on commit drop`.execute(tx);
      await sql`create temp table listed_readers (id bigint primary key) on commit drop`.execute(tx);
      let chunk: Entry[] = [];
      for await (const line of readSuppressions(list, secret, now)) {
        report.lines += 1;
        if ("reasons" in line) {
          report.refusedCount += 1;
          if (report.refused.length < mostReported) report.refused.push(line);
          continue;
        }
        if (chunk.push(line) < chunkSize) continue;
        await addToList(tx, chunk);
        chunk = [];
      }
      await addToList(tx, chunk);
      // Without this, the planner does not know how long the list is.
      await sql`analyze listed`.execute(tx);
      await lockBulkChanges(tx);
      await lockListed(tx, secret);
      const changed = await suppressListed(tx);
      report.kept = await suppressReaders(tx, secret, now);
      report.suppressed = changed - report.kept;
      report.unchanged = report.lines - report.refusedCount - changed;
      const { lines, suppressed, kept, refusedCount: refused } = report;
      if (dryRun || (strict && refused > 0)) throw undo;
      const detail = { lines, suppressed, kept, refused };
      await writeAudit(tx, { at: now, actor, action: "suppressions import", subject: "suppressions", detail });
    });
    report.imported = true;
  } catch (error) {
    if (error !== undo) throw error;
  }
  return report;
}

/** A line without its number. */
interface Entry {
  hash: Buffer;
  reason: string;
  detail: string | null;
  at: Date;
}

/** Of several lines for an address, the rules of `suppress` choose one. */
async function addToList(tx: Tx, chunk: readonly Entry[]): Promise<void> {
  const unique = new Map(chunk.map((entry) => [entry.hash.toString("hex"), entry]));
  await sql`
    insert into listed (hash, reason, detail, at) ${suppressionRows([...unique.values()])}
    on conflict (hash) do update set reason = excluded.reason, detail = excluded.detail, at = excluded.at
    where listed.reason <> ${complaint} and (excluded.reason = ${complaint}
      or listed.reason = ${erased} and excluded.reason <> ${erased})`.execute(tx);
}

/** Finds the readers whose address is in the list, and locks them. */
async function lockListed(tx: Tx, secret: string): Promise<void> {
  for (let after = 0; ;) {
    const page = await tx
      .selectFrom("subscribers")
      .select(["id", "address_key as key"])
      .where("id", ">", after)
      .orderBy("id")
      .limit(readersAtATime)
      .execute();
    const last = page.at(-1);
    if (!last) break;
    after = last.id;
    await sql`
      insert into listed_readers select g.id
      from unnest(${page.map(({ id }) => id)}::bigint[], ${page.map(({ key }) => addressHash(secret, key))}::bytea[])
        as g(id, hash)
      join listed on listed.hash = g.hash`.execute(tx);
  }
  await sql`analyze listed_readers`.execute(tx);
  await lockReaders(tx, sql<boolean>`s.id in (select id from listed_readers)`);
}

/** Suppresses the addresses of the list. @returns how many suppressions are new or have another reason now */
async function suppressListed(tx: Tx): Promise<number> {
  let changed = 0;
  for (let after: Buffer = Buffer.alloc(0); ;) {
    const page = sql`select * from listed where hash > ${after} order by hash limit ${hashesAtATime}`;
    const { rows } = await sql<{ hash: Buffer }>`select hash from (${page}) as page order by hash desc limit 1`.execute(
      tx,
    );
    if (rows.length === 0) return changed;
    changed += (await suppressHashes(tx, page)).length;
    after = rows[0]!.hash;
  }
}

/** Suppresses the active readers among those of the list. @returns how many stay, without a suppression */
async function suppressReaders(tx: Tx, secret: string, now: Date): Promise<number> {
  let kept = 0;
  for (let after = 0; ;) {
    const { rows: page } = await sql<{ id: number }>`
      select id from listed_readers where id > ${after} order by id limit ${readersAtATime}`.execute(tx);
    const last = page.at(-1);
    if (!last) return kept;
    after = last.id;
    const ids = page.map(({ id }) => id);
    const { rows: active } = await sql<{ key: string }>`
      select address_key as key from subscribers where id = any(${ids}::bigint[]) and status = 'active'`.execute(tx);
    const found = await findSuppressions(
      tx,
      secret,
      active.map(({ key }) => key),
    );
    const consents = await ownConsents(tx, [...found.keys()]);
    const gone: string[] = [];
    for (const [key, { reason, since }] of found) {
      const agreed = consents.get(key);
      if (!endsWithConsent.has(reason) || agreed === undefined || agreed < since) gone.push(key);
      else {
        await liftSuppression(tx, secret, key);
        kept += 1;
      }
    }
    await markSuppressed(tx, gone, now);
  }
}

/** Reasons that a newer consent of the reader overrules, as on the server that wrote them. */
const endsWithConsent = new Set<string>(["unsubscribed", "bounce", "erased"] satisfies SuppressionReason[]);

const absent = (value: unknown): unknown => (value === "" ? undefined : value);

const lineSchema = z.object({
  address: z.preprocess(absent, z.string().optional()),
  hash: z.preprocess(
    absent,
    z
      .string()
      .toLowerCase()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
  ),
  key_id: z.preprocess(absent, z.string().optional()),
  reason: z.preprocess(absent, z.string().min(1).max(200).default("operator")),
  detail: z.preprocess(absent, z.string().max(500).optional()),
  date: z.preprocess(absent, z.coerce.date().optional()),
});

const fieldCodes: Readonly<Record<string, ErrorCode>> = {
  hash: "suppression_hash_invalid",
  date: "suppression_date_invalid",
};

const addressNames = new Set(["address", "email", "email_address", "e_mail", "mail"]);

/** Characters of a line. */
const longestLine = 32_000;

async function* readSuppressions(list: Readable, secret: string, now: Date): AsyncGenerator<Entry | RefusedLine> {
  const columns = (names: string[]): string[] => {
    const ours = names.map(columnKey).map((name) => (addressNames.has(name) ? "address" : name));
    if (!ours.includes("address") && !ours.includes("hash")) throw new Refusal(422, "suppression_columns_missing");
    return ours;
  };
  const rules = { skip_empty_lines: true, relax_column_count: true, info: true, trim: true };
  const parser = parse({ bom: true, columns, max_record_size: longestLine, ...rules });
  list.on("error", (error) => parser.destroy(error));
  let line = 1;
  try {
    for await (const { record, info } of list.pipe(parser) as AsyncIterable<{
      record: Record<string, string>;
      info: { lines: number };
    }>) {
      line = info.lines;
      for (const [name, cell] of Object.entries(record)) record[name] = unguardCell(cell);
      yield understood(line, record, secret, now);
    }
  } catch (error) {
    // Without the right columns, nothing of the list can be read.
    if (error instanceof Refusal) throw error;
    yield { line: line + 1, reasons: [{ code: "import_csv_invalid", details: { reason: reasonOf(error) } }] };
  }
}

function understood(line: number, record: object, secret: string, now: Date): Entry | RefusedLine {
  const parsed = lineSchema.safeParse(record);
  if (!parsed.success) {
    const reasons = parsed.error.issues.map(({ path }): Reason => {
      const field = String(path[0]);
      return { code: fieldCodes[field] ?? "import_field_invalid", details: { field } };
    });
    return { line, reasons };
  }
  const { address, hash, key_id: keyId, reason, detail, date } = parsed.data;
  const refuse = (code: ErrorCode): RefusedLine => ({ line, reasons: [{ code, details: {} }] });
  // A suppression outlives the reader's erasure, so it must not contain the address.
  const entry = {
    reason: withoutAddress(reason),
    detail: detail === undefined ? null : withoutAddress(detail),
    at: date === undefined || date > now ? now : date,
  };
  if (address === undefined) {
    if (hash === undefined) return refuse("import_address_missing");
    if (keyId !== undefined && keyId !== suppressionKeyId(secret)) return refuse("suppression_other_secret");
    return { hash: Buffer.from(hash, "hex"), ...entry };
  }
  try {
    return { hash: addressHash(secret, parseAnyAddress(address).key), ...entry };
  } catch (error) {
    if (!(error instanceof Refusal) || error.code === null) throw error;
    return { line, reasons: [{ code: error.code, details: error.details }] };
  }
}
