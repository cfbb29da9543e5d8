import { sql } from "kysely";
import type { Clock } from "../base/clock.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import { resolveTags } from "../articles/tag-store.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../ops/audit.ts";
import { parseAddress } from "./address.ts";
import { confirmPending, type Vouched } from "./confirm-pending.ts";
import type { ImportLine, ImportRow } from "./import-rows.ts";
import { insertSubscribers, type NewSubscriber } from "./insert.ts";
import { whyNotAdded } from "./may-be-added.ts";
import { findSuppressions, liftErasures } from "./suppressions.ts";

export interface ImportOptions {
  /** Any wrong line, and nothing is imported. */
  strict: boolean;
  /** Report only. */
  dryRun: boolean;
  /** The operator vouches that lines without a status of their own asked for it. */
  confirmed: boolean;
  /** Make tags that no article has had yet, instead of refusing the line. */
  createTags: boolean;
  actor: string;
}

export interface ImportReport {
  lines: number;
  added: number;
  updated: number;
  unchanged: number;
  refused: { line: number; reason: string }[];
  /** False for a dry run, and when strictness refused the whole. */
  imported: boolean;
}

interface Checked extends ImportRow {
  line: number;
  address: string;
  key: string;
}

const chunkSize = 1_000;

/**
 * Takes readers from a list. Each line stands for itself and is reported by its number; suppressed and unsubscribed
 * addresses are never brought back, erased ones by a newer consent alone. A line that is active confirms whoever waits to
 * be. One transaction: an import is there as a whole or not at all.
 */
export async function importSubscribers(
  deps: { db: Db; clock: Clock; options: { secret: string } },
  lines: AsyncIterable<ImportLine> | Iterable<ImportLine>,
  options: ImportOptions,
): Promise<ImportReport> {
  const report: ImportReport = { lines: 0, added: 0, updated: 0, unchanged: 0, refused: [], imported: false };
  const undo = new Error("nothing is kept");
  const now = deps.clock.now();
  try {
    await deps.db.transaction().execute(async (tx) => {
      const seen = new Map<string, number>();
      let chunk: Checked[] = [];
      for await (const line of lines) {
        report.lines += 1;
        const checked = check(line, seen, now);
        if ("reason" in checked) report.refused.push(checked);
        else chunk.push(checked);
        if (chunk.length < chunkSize) continue;
        await takeChunk(tx, deps.options.secret, chunk, options, now, report);
        chunk = [];
      }
      await takeChunk(tx, deps.options.secret, chunk, options, now, report);
      report.refused.sort((a, b) => a.line - b.line);
      if (options.dryRun || (options.strict && report.refused.length > 0)) throw undo;
      const { added, updated } = report;
      const detail = { lines: report.lines, added, updated, refused: report.refused.length };
      await writeAudit(tx, {
        at: now,
        actor: options.actor,
        action: "subscribers import",
        subject: "subscribers",
        detail,
      });
    });
    report.imported = true;
  } catch (error) {
    if (error !== undo) throw error;
  }
  return report;
}

function check(line: ImportLine, seen: Map<string, number>, now: Date): Checked | { line: number; reason: string } {
  if ("problem" in line) return { line: line.line, reason: line.problem };
  try {
    const { address, key } = parseAddress(line.row.address);
    const earlier = seen.get(key);
    if (earlier !== undefined) throw new Refusal(422, `${address} stands on line ${earlier} already.`);
    seen.set(key, line.line);
    if (line.row.tags.length === 0 && !line.row.allTags) {
      throw new Refusal(422, `${address} follows nothing: expected tags, or all_tags=true.`);
    }
    if (line.row.confirmedAt !== null && line.row.confirmedAt > now) {
      throw new Refusal(422, `${address} has a confirmed_at of the future: give the instant at which they agreed.`);
    }
    return { ...line.row, line: line.line, address, key };
  } catch (error) {
    return { line: line.line, reason: reasonOf(error) };
  }
}

async function takeChunk(
  tx: Tx,
  secret: string,
  chunk: readonly Checked[],
  options: ImportOptions,
  now: Date,
  report: ImportReport,
): Promise<void> {
  if (chunk.length === 0) return;
  const suppressions = await findSuppressions(
    tx,
    secret,
    chunk.map((row) => row.key),
  );
  const found = await tx
    .selectFrom("subscribers")
    .select(["id", "address_key", "status"])
    .where("address_key", "=", sql<string>`any(${chunk.map((row) => row.key)})`)
    .execute();
  const known = new Map(found.map((row) => [row.address_key, row]));
  const tagIds = await tagIdsOf(tx, chunk, options.createTags, now);
  const news: NewSubscriber[] = [];
  const waiting: Vouched[] = [];
  const present: Wish[] = [];
  for (const row of chunk) {
    const refuse = (reason: string): unknown => report.refused.push({ line: row.line, reason });
    const unknown = row.tags.filter((name) => !tagIds.has(name));
    const subscriber = known.get(row.key);
    const as = newSubscriber(row, tagIds, options, now);
    const agreedAt = as.status === "active" ? row.confirmedAt : null;
    const wrong = whyNotAdded(row.address, suppressions.get(row.key), agreedAt);
    if (wrong !== null) refuse(wrong);
    else if (subscriber?.status === "unsubscribed" || subscriber?.status === "suppressed") {
      refuse(`${row.address} is ${subscriber.status}: only the reader can come back.`);
    } else if (unknown.length > 0) {
      refuse(`No article has ever had the tag ${unknown.map((name) => JSON.stringify(name)).join(", ")}.`);
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
}

interface Wish {
  id: number;
  tagIds: readonly number[];
  allTags: boolean;
}

/** Adds to what readers follow already. @returns to how many of them it was new */
async function widen(tx: Tx, wishes: readonly Wish[]): Promise<number> {
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

/** By name as written; names that no tag has are missing, unless they may be made. */
async function tagIdsOf(tx: Tx, chunk: readonly Checked[], create: boolean, now: Date): Promise<Map<string, number>> {
  const names = [...new Set(chunk.flatMap((row) => row.tags))];
  return resolveTags(tx, now, names, { create });
}
