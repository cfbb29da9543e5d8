import { type RawBuilder, type Selectable, sql } from "kysely";
import type { Db, Schema, Tx } from "../db/schema.ts";
import type { EditionWords } from "../render/types.ts";
import { Refusal } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import { paragraphs } from "../render/plain.ts";
import { subjectLimit } from "../render/subject.ts";

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

/**
 * How the articles of an edition are laid out, for a statement with `articles a`: the one place that says it, so that
 * what an editor sees of the coming edition is what is frozen.
 */
export function layoutOf(draft: Draft): {
  order: RawBuilder<unknown>;
  title: RawBuilder<string>;
  summary: RawBuilder<string>;
  leftOut: RawBuilder<boolean>;
} {
  const words = sql`${JSON.stringify(draft.words)}::jsonb -> a.id::text`;
  return {
    order: sql`array_position(${draft.first}::bigint[], a.id) nulls last, coalesce(a.published_at, a.first_seen_at) desc, a.id desc`,
    title: sql<string>`coalesce(${words} ->> 'title', a.title)`,
    summary: sql<string>`coalesce(${words} ->> 'summary', a.summary)`,
    leftOut: sql<boolean>`(a.id = any(${draft.leftOut}::bigint[]))`,
  };
}

/** UTF-16 units; a mail shows no more of a title and a summary. */
export const draftLimits = { introduction: 2_000, subject: subjectLimit, title: 300, summary: 600 };

/** An introduction as it is kept: paragraphs between empty lines, null for none. @throws Refusal 422 when it is too long */
export function ownText(raw: string | null): string | null {
  return within("introduction", paragraphs(raw ?? "").join("\n\n"));
}

/** A text of one line as it is kept, null for none. @throws Refusal 422 when it is too long */
export function ownLine(name: "subject" | "title" | "summary", raw: string | null): string | null {
  return within(name, oneLine(raw ?? ""));
}

function within(name: keyof typeof draftLimits, text: string): string | null {
  const most = draftLimits[name];
  if (text.length <= most) return text === "" ? null : text;
  throw new Refusal(422, "edition_text_too_long", { field: name, length: text.length, most });
}
