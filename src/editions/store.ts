import { sql, type Selectable } from "kysely";
import { Refusal } from "../base/errors.ts";
import type { Db, Schema, Tx } from "../db/schema.ts";
import { stencilVersion, type EditionArticle, type Stencil } from "../render/types.ts";
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
  "reason",
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
] as const;

/** An edition's row without its stencil, which is large. */
export type Edition = Pick<Selectable<Schema["editions"]>, (typeof columns)[number]>;

/** How an edition is written in words, links and Message-IDs: `2026-11-24`, or `2026-11-24.2` for an extra one. */
export function editionName(edition: { date: string; number: number }): string {
  return edition.number === 1 ? edition.date : `${edition.date}.${edition.number}`;
}

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
    throw new Refusal(404, `There is no edition ${editionName({ date, number })}: see \`dayletter edition list\`.`);
  }
  return edition;
}

export async function getEditionById(db: Db, id: number): Promise<Edition | undefined> {
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

/** The newest editions, and whichever older ones are not over, newest first. */
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

/** Editions that went out, at least to some readers, newest first: what the public may see. */
export async function listPublished(db: Db, limit: number): Promise<Edition[]> {
  return db
    .selectFrom("editions")
    .select(columns)
    .where("sending_at", "is not", null)
    .orderBy("date", "desc")
    .orderBy("number", "desc")
    .limit(limit)
    .execute();
}

export async function editionsInState(db: Db, states: readonly EditionState[]): Promise<Edition[]> {
  return db.selectFrom("editions").select(columns).where("state", "in", states).orderBy("id").execute();
}

/** The edition's row, locked until the transaction ends: whoever changes its state holds this. */
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

/** The frozen articles, newest first, as they were when the edition was frozen. */
export async function frozenArticles(db: Db | Tx, editionId: number): Promise<EditionArticle[]> {
  const rows = await db
    .selectFrom("edition_articles")
    .select(["position", "snapshot"])
    .where("edition_id", "=", editionId)
    .orderBy("position")
    .execute();
  return rows.map((row) => ({ ...(row.snapshot as Omit<EditionArticle, "position">), position: row.position }));
}

/** The articles' ids, in the order of their positions. */
export async function frozenArticleIds(db: Db, editionId: number): Promise<number[]> {
  const query = db.selectFrom("edition_articles").select("article_id").where("edition_id", "=", editionId);
  return (await query.orderBy("position").execute()).map((row) => row.article_id);
}

/** What was left out of it while it was held, and can be taken in again. */
export async function leftOutArticles(
  db: Db,
  editionId: number,
): Promise<(Omit<EditionArticle, "position"> & { id: number })[]> {
  const rows = await db
    .selectFrom("left_out_articles as l")
    .innerJoin("articles as a", "a.id", "l.article_id")
    .select(["l.article_id", "l.snapshot"])
    .where("l.edition_id", "=", editionId)
    .where("a.edition_id", "is", null)
    .where("a.hidden", "=", false)
    .orderBy("l.article_id", "desc")
    .execute();
  return rows.map((row) => ({ ...(row.snapshot as Omit<EditionArticle, "position">), id: row.article_id }));
}

/**
 * Keeps the stencil and moves the edition from opening to sending, or to held until `approveBy`, in one step.
 * @returns false when somebody else has moved it on, or cancelled it, meanwhile
 */
export async function startSending(
  db: Db,
  editionId: number,
  start: { stencil: Stencil; reason: string | null; now: Date; held?: { approveBy: Date | null } | undefined },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("editions")
    .set({
      stencil: asJson(start.stencil),
      reason: start.reason,
      ...(start.held
        ? { state: "held" as const, approve_by: start.held.approveBy }
        : { state: "sending" as const, sending_at: start.now }),
    })
    .where("id", "=", editionId)
    .where("state", "=", "opening")
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function keepStencil(db: Db | Tx, editionId: number, stencil: Stencil): Promise<void> {
  await db
    .updateTable("editions")
    .set({ stencil: asJson(stencil) })
    .where("id", "=", editionId)
    .execute();
}

const asJson = (stencil: Stencil): never => JSON.stringify(stencil) as never;

/** The stencil, if this release can read it. */
export async function loadStencil(db: Db, editionId: number): Promise<Stencil | null> {
  const row = await db.selectFrom("editions").select("stencil").where("id", "=", editionId).executeTakeFirst();
  const stencil = row?.stencil as Stencil | null | undefined;
  return stencil?.version === stencilVersion ? stencil : null;
}

/** A newer release's stencil is left alone: its nodes send that edition. */
const rendered = sql<boolean>`coalesce((stencil ->> 'version')::int >= ${stencilVersion}, false)`;

export async function isRendered(db: Db, editionId: number): Promise<boolean> {
  const row = await db.selectFrom("editions").select(rendered.as("is")).where("id", "=", editionId).executeTakeFirst();
  return row?.is ?? false;
}

/** Editions that cannot be sent before somebody has rendered them, oldest first. */
export async function unrenderedEditions(db: Db): Promise<number[]> {
  const rows = await db
    .selectFrom("editions")
    .select("id")
    .where((eb) => eb.or([eb("state", "=", "opening"), eb.and([eb("state", "=", "sending"), eb.not(rendered)])]))
    .orderBy("id")
    .execute();
  return rows.map((row) => row.id);
}

/**
 * Serialises opening and changes of the schedule across nodes: two instances make one edition, and none of a date that
 * was just left out. Held until the transaction ends.
 */
export async function lockOpening(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('dayletter:open-edition'))`.execute(tx);
}
