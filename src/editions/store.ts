import { sql, type Selectable } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Schema, Tx } from "../db/schema.ts";
import type { EditionName } from "../render/types.ts";
import { editionName } from "../base/edition-name.ts";
import type { Balance } from "../ledger/balance.ts";
import { activeStates, type EditionState } from "./state.ts";

const columns = [
  "id",
  "date",
  "number",
  "state",
  "timezone",
  "due_at",
  "opened_at",
  "frozen_at",
  "sending_at",
  "closed_at",
  "expires_at",
  "reason_code",
  "reason_data",
  "articles",
  "readers",
  "unmatched",
  "selected",
  "slices",
  "introduction",
  "subject",
  "approve_by",
  "approved_by",
  "gone_accepted",
  "final_counts",
  "warm_up",
] as const;

/** An edition's row without its stencil, which is large. */
export type Edition = Pick<Selectable<Schema["editions"]>, (typeof columns)[number]>;

export async function findEdition(db: Db, date: string, number = 1): Promise<Edition | undefined> {
  return db
    .selectFrom("editions")
    .select(columns)
    .where("date", "=", date)
    .where("number", "=", number)
    .executeTakeFirst();
}

/** @throws Refusal 404 naming the date */
export async function getEdition(db: Db, date: string, number = 1): Promise<Edition> {
  const edition = await findEdition(db, date, number);
  if (!edition) {
    throw new Refusal(404, "edition_not_found", { edition: editionName({ date, number }) });
  }
  return edition;
}

export async function getEditionById(db: Db | Tx, id: number): Promise<Edition | undefined> {
  return db.selectFrom("editions").select(columns).where("id", "=", id).executeTakeFirst();
}

/** Newest first. */
export async function listEditions(db: Db, limit: number): Promise<Edition[]> {
  return db
    .selectFrom("editions")
    .select(columns)
    .orderBy("date", "desc")
    .orderBy("number", "desc")
    .limit(limit)
    .execute();
}

/** The newest editions and all older active ones, newest first. */
export async function listCurrent(db: Db, newest: number): Promise<Edition[]> {
  const latest = db.selectFrom("editions").select("id").orderBy("date", "desc").orderBy("number", "desc").limit(newest);
  return db
    .selectFrom("editions")
    .select(columns)
    .where((eb) => eb.or([eb("state", "in", activeStates), eb("id", "in", latest)]))
    .orderBy("date", "desc")
    .orderBy("number", "desc")
    .execute();
}

/** Editions that were sent, at least to some readers, newest first. Only these are public. */
export async function listPublished(db: Db, limit: number): Promise<Edition[]> {
  return publishedBefore(db, null, limit);
}

/** The same, of those before another edition. */
export async function publishedBefore(db: Db, before: EditionName | null, limit: number): Promise<Edition[]> {
  const { date, number } = before ?? { date: "infinity", number: 0 };
  return db
    .selectFrom("editions")
    .select(columns)
    .where("sending_at", "is not", null)
    .where(sql<boolean>`(date, number) < (${date}::date, ${number}::int)`)
    .orderBy("date", "desc")
    .orderBy("number", "desc")
    .limit(limit)
    .execute();
}

export async function editionsInState(db: Db, states: readonly EditionState[]): Promise<Edition[]> {
  return db.selectFrom("editions").select(columns).where("state", "in", states).orderBy("id").execute();
}

/** The edition's row, locked until the transaction ends. Hold this lock to change the state. */
export async function lockEdition(tx: Tx, id: number): Promise<Edition> {
  return tx.selectFrom("editions").select(columns).where("id", "=", id).forUpdate().executeTakeFirstOrThrow();
}

/** Dates of regular editions from `from` on, whatever became of them. */
export async function recordedDates(db: Db | Tx, from: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom("editions")
    .select("date")
    .where("number", "=", 1)
    .where("date", ">=", from)
    .execute();
  return new Set(rows.map((row) => row.date));
}

/**
 * Serialises opening and changes of the schedule across nodes: two instances make one edition, and none of a date that
 * was just left out. Held until the transaction ends.
 */
export async function lockOpening(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('dayletter:open-edition'))`.execute(tx);
}

/** Stores what an edition's deliveries came to, before they are removed. */
export async function keepFinalCounts(tx: Tx, id: number, counts: Balance): Promise<void> {
  await tx
    .updateTable("editions")
    .set({ final_counts: JSON.stringify(counts) })
    .where("id", "=", id)
    .execute();
}
