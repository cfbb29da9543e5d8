import type { Selectable } from "kysely";
import type { Db, Schema, Tx } from "../db/schema.ts";
import type { EditionWords } from "../render/types.ts";

/** An editor's own words for one article, in one edition. */
export interface OwnWords {
  title?: string;
  summary?: string;
}

/** What is wanted of the coming edition. */
export interface Draft extends EditionWords {
  /** Ids of the articles that come first, in this order. Each reader's email has those that the reader follows. */
  first: number[];
  /** Ids of the articles that stay out of it and wait for the next one. */
  leftOut: number[];
  /** By the article's id. */
  words: Record<string, OwnWords>;
}

export interface StoredDraft extends Draft {
  id: number;
  date: string;
  revision: number;
}

/** An edition that nobody has edited. */
export const untouched: Draft = { introduction: null, subject: null, first: [], leftOut: [], words: {} };

/**
 * What is wanted of the next edition if it is frozen under `date`: the open draft of that date, or else of the first one
 * after it, since a date may be sent early. What was written for a date that has passed is left alone.
 */
export async function openDraft(db: Db | Tx, date: string, lock = false): Promise<StoredDraft | null> {
  const query = db
    .selectFrom("drafts")
    .selectAll()
    .where("edition_id", "is", null)
    .where("date", ">=", date)
    .orderBy("date")
    .limit(1);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  return row ? toDraft(row) : null;
}

/** The draft belongs to the edition that was frozen with it. */
export async function keepWithEdition(tx: Tx, draft: StoredDraft, editionId: number): Promise<void> {
  await tx.updateTable("drafts").set({ edition_id: editionId }).where("id", "=", draft.id).execute();
}

/** Begins the draft of a date, if nobody has. */
export async function beginDraft(tx: Tx, date: string, by: string, now: Date): Promise<void> {
  await tx
    .insertInto("drafts")
    .values({ date, words: "{}", changed_at: now, changed_by: by })
    .onConflict((conflict) => conflict.column("date").where("edition_id", "is", null).doNothing())
    .execute();
}

export async function saveDraft(tx: Tx, draft: StoredDraft, change: { by: string; now: Date }): Promise<void> {
  const { id, revision, introduction, subject, first, leftOut, words } = draft;
  await tx
    .updateTable("drafts")
    .set({
      introduction,
      subject,
      first,
      left_out: leftOut,
      words: JSON.stringify(words),
      revision: revision + 1,
      changed_at: change.now,
      changed_by: change.by,
    })
    .where("id", "=", id)
    .execute();
}

function toDraft(row: Selectable<Schema["drafts"]>): StoredDraft {
  const { id, date, revision, introduction, subject, first, words } = row;
  return { id, date, revision, introduction, subject, first, leftOut: row.left_out, words };
}
