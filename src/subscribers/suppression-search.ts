import { sql, type RawBuilder } from "kysely";
import { Temporal } from "temporal-polyfill";
import { parseAnyAddress } from "../base/address.ts";
import { editionName, parseEditionName } from "../base/edition-name.ts";
import { Refusal } from "../base/errors.ts";
import { parseDate } from "../base/schedule-values.ts";
import { startOfDate } from "../schedule/calendar.ts";
import { loadSchedule } from "../schedule/store.ts";
import type { Db, Tx } from "../db/schema.ts";
import { hashReaders } from "./suppressed-readers.ts";
import { suppressionReasons, type SuppressDeps, type SuppressionSource } from "./suppressions.ts";
import { addressHash } from "./tokens.ts";

/** Which suppressions to list, as people name them. */
export interface SuppressionSearch {
  /** A code, `other` for all reasons in words, or a reason in words. */
  reason?: string | undefined;
  /** The edition that caused them. */
  edition?: string | undefined;
  /** First and last local date. */
  since?: string | undefined;
  until?: string | undefined;
}

export interface SuppressionFilter {
  reason: string | null;
  editionId: number | null;
  since: Date | null;
  before: Date | null;
  hash?: Buffer;
}

/** All reasons that operators wrote in words. */
export const otherReasons = "other";

/** @throws Refusal 422 for a wrong date or name, 404 for an unknown edition */
export async function readSearch(db: Db | Tx, search: SuppressionSearch): Promise<SuppressionFilter> {
  const { reason, edition, since, until } = search;
  const { timezone } = await loadSchedule(db);
  const dayAfter = (date: string): string => Temporal.PlainDate.from(date).add({ days: 1 }).toString();
  return {
    reason: reason ?? null,
    editionId: edition === undefined ? null : await editionIdOf(db, edition),
    since: since === undefined ? null : startOfDate(parseDate(since), timezone),
    before: until === undefined ? null : startOfDate(dayAfter(parseDate(until)), timezone),
  };
}

async function editionIdOf(db: Db | Tx, name: string): Promise<number> {
  const { date, number } = parseEditionName(name);
  const row = await db
    .selectFrom("editions")
    .select("id")
    .where("date", "=", date)
    .where("number", "=", number)
    .executeTakeFirst();
  if (!row) throw new Refusal(404, "edition_not_found", { edition: editionName({ date, number }) });
  return row.id;
}

/** That suppression `s` is one of those. */
export function isFound({ reason, editionId, since, before, hash }: SuppressionFilter): RawBuilder<boolean> {
  const conditions = [
    ...(reason === null ? [] : [reason === otherReasons ? sql`s.reason <> all(${codes})` : sql`s.reason = ${reason}`]),
    ...(editionId === null ? [] : [sql`s.edition_id = ${editionId}`]),
    ...(since === null ? [] : [sql`s.created_at >= ${since}`]),
    ...(before === null ? [] : [sql`s.created_at < ${before}`]),
    ...(hash === undefined ? [] : [sql`s.address_hash = ${hash}`]),
  ];
  return conditions.length === 0 ? sql<boolean>`true` : sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

const codes = sql`${[...suppressionReasons]}::text[]`;
const everything: SuppressionFilter = { reason: null, editionId: null, since: null, before: null };

export interface FoundSuppression {
  /** Hexadecimal. For an address without a subscriber, nothing else is stored. */
  hash: string;
  /** null without a suppressed subscriber. */
  address: string | null;
  reason: string;
  detail: string | null;
  createdAt: Date;
  /** Name of the edition whose email was refused or reported. */
  edition: string | null;
  source: SuppressionSource | null;
}

export interface SuppressionPage {
  suppressions: FoundSuppression[];
  /** `after` of the next page; null on the last. */
  next: string | null;
}

/**
 * The suppression of an address.
 * @throws Refusal 422 for a wrong address, 404 when it is not suppressed
 */
export async function findSuppression(
  { db, options }: Pick<SuppressDeps, "db" | "options">,
  raw: string,
): Promise<FoundSuppression & { address: string }> {
  const { address, key } = parseAnyAddress(raw);
  const filter = { ...everything, hash: addressHash(options.secret, key) };
  const [found] = (await listSuppressions(db, options.secret, { after: "", limit: 1 }, filter)).suppressions;
  if (!found) throw new Refusal(404, "address_not_suppressed", { address });
  return { ...found, address };
}

/** Readers that may wait for their hash on one page. The rest gets it during the night. */
const mostHashed = 5_000;

/**
 * A page of suppressions, the newest first.
 * @param page.after `next` of the previous page, empty for the first
 * @throws Refusal 422 if `after` is not from a page
 */
export async function listSuppressions(
  db: Db,
  secret: string,
  page: { after: string; limit: number },
  filter = everything,
): Promise<SuppressionPage> {
  await hashReaders(db, secret, mostHashed);
  const { rows } = await sql<
    Omit<FoundSuppression, "hash" | "edition"> & { hash: Buffer; date: string | null; number: number | null }
  >`
    select s.address_hash as hash, r.address, s.reason, s.detail, s.source, s.created_at as "createdAt", e.date, e.number
    from suppressions s
    left join subscribers r on r.address_hash = s.address_hash and r.status = 'suppressed'
    left join editions e on e.id = s.edition_id
    where ${isFound(filter)} and ${isAfter(page.after)}
    order by s.created_at desc, s.address_hash desc limit ${page.limit + 1}`.execute(db);
  const suppressions = rows.slice(0, page.limit).map(({ hash, date, number, ...row }) => ({
    ...row,
    hash: hash.toString("hex"),
    edition: date === null || number === null ? null : editionName({ date, number }),
  }));
  const last = suppressions.at(-1);
  const next = rows.length > page.limit && last ? `${last.createdAt.toISOString()}_${last.hash}` : null;
  return { suppressions, next };
}

const cursor = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f]{64})$/;

function isAfter(after: string): RawBuilder<boolean> {
  if (after === "") return sql<boolean>`true`;
  const [, at, hash] = cursor.exec(after) ?? [];
  if (at === undefined || Number.isNaN(Date.parse(at))) throw new Refusal(422, "suppression_page_invalid", { after });
  return sql<boolean>`(s.created_at, s.address_hash) < (${at}::timestamptz, ${Buffer.from(hash!, "hex")}::bytea)`;
}

export async function countFound(db: Db | Tx, filter: SuppressionFilter): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from suppressions s where ${isFound(filter)}`.execute(db);
  return rows[0]!.count;
}

/** How many suppressions there are for each reason. Those in words are counted as `other`. Reasons without any are left out. */
export async function countSuppressions(
  db: Db | Tx,
  filter = everything,
): Promise<{ reason: string; count: number }[]> {
  const { rows } = await sql<{ reason: string; count: number }>`
    select case when s.reason = any(${codes}) then s.reason else ${otherReasons} end as reason, count(*)::int as count
    from suppressions s where ${isFound({ ...filter, reason: null })} group by 1`.execute(db);
  const order = [...suppressionReasons, otherReasons];
  return rows.toSorted((a, b) => order.indexOf(a.reason) - order.indexOf(b.reason));
}
