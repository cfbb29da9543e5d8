import { sql } from "kysely";
import type { Db, SubscriberStatus, Tx } from "../db/schema.ts";
import type { QuestionCause, QuestionOutcome } from "../db/values.ts";
import type { DeliveryState } from "../ledger/state.ts";
import { addNotices } from "./notices.ts";

export interface Question {
  cause: QuestionCause;
  askedAt: Date;
  /** When the relay accepted the email, or refused it like the others; null until that is known. */
  sentAt: Date | null;
  /** null while it is open. */
  outcome: QuestionOutcome | null;
  closedAt: Date | null;
}

/** An active reader who may be asked. */
export interface Askable {
  id: number;
  address: string;
  pausedUntil: Date | null;
  pausedSince: Date | null;
  /** The reader's last own act: signed up, confirmed, changed something, or answered a question. */
  actedAt: Date;
  lastQuestion: Pick<Question, "askedAt" | "sentAt" | "outcome"> | null;
}

const lastAct = sql<Date>`greatest(s.acted_at, s.confirmed_at, s.created_at)`;

/** The active ones of these readers, by id. */
export async function loadAskable(tx: Tx, ids: readonly number[]): Promise<Askable[]> {
  const { rows } = await sql<
    Omit<Askable, "lastQuestion"> & { askedAt: Date | null; sentAt: Date | null; outcome: QuestionOutcome | null }
  >`
    select s.id, s.address, s.paused_until as "pausedUntil", s.paused_since as "pausedSince", ${lastAct} as "actedAt",
      q.asked_at as "askedAt", q.sent_at as "sentAt", q.outcome
    from subscribers s
    left join lateral (
      select asked_at, sent_at, outcome from questions where subscriber_id = s.id order by asked_at desc, id desc limit 1
    ) q on true
    where s.id = any(${ids}::bigint[]) and s.status = 'active' order by s.id`.execute(tx);
  return rows.map(({ askedAt, sentAt, outcome, ...reader }) => ({
    ...reader,
    lastQuestion: askedAt && { askedAt, sentAt, outcome },
  }));
}

/** A page of active readers without an own act since `since` who were not asked since then either, by id. */
export async function findSilent(db: Db, page: { since: Date; after: number; limit: number }): Promise<number[]> {
  const { since, after, limit } = page;
  const { rows } = await sql<{ id: number }>`
    select s.id from subscribers s
    where s.id > ${after} and s.status = 'active' and s.paused_since is null and ${lastAct} <= ${since}
      and not exists (
        select 1 from questions q where q.subscriber_id = s.id and (q.outcome is null or q.sent_at > ${since})
      )
    order by s.id limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** Lets one transaction at a time ask readers, so that the bound of a day holds. */
export async function lockQuestions(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('dayletter:questions'))`.execute(tx);
}

/** How many readers were asked since a time, and how many are active. */
export async function countAsked(tx: Tx, since: Date): Promise<{ asked: number; active: number }> {
  const { rows } = await sql<{ asked: number; active: number }>`
    select (select count(*) from questions where asked_at >= ${since}) as asked,
      (select count(*) from subscribers where status = 'active') as active`.execute(tx);
  return rows[0]!;
}

/** Asks readers: stores a question and queues its notice for each. Wake `send-notices` after the transaction. */
export async function addQuestions(
  tx: Tx,
  readers: readonly { id: number; address: string; cause: QuestionCause; dueAt: Date }[],
  now: Date,
): Promise<void> {
  if (readers.length === 0) return;
  const notices = await addNotices(
    tx,
    readers.map(({ id, address, dueAt }) => ({ kind: "question", subscriberId: id, address, dueAt })),
    now,
  );
  const noticeOf = new Map(notices.map((notice) => [notice.subscriberId, notice.id]));
  await tx
    .insertInto("questions")
    .values(readers.map(({ id, cause }) => ({ subscriber_id: id, notice_id: noticeOf.get(id)!, cause, asked_at: now })))
    .execute();
}

/** The cause of the question that a notice asks, or null if it is not open any more. */
export async function openQuestion(db: Db, noticeId: number): Promise<QuestionCause | null> {
  const row = await db
    .selectFrom("questions")
    .select("cause")
    .where("notice_id", "=", noticeId)
    .where("outcome", "is", null)
    .executeTakeFirst();
  return row?.cause ?? null;
}

/** Whether a reader has an open question. */
export async function isAsked(db: Db, id: number): Promise<boolean> {
  const row = await db
    .selectFrom("questions")
    .select("id")
    .where("subscriber_id", "=", id)
    .where("outcome", "is", null)
    .executeTakeFirst();
  return row !== undefined;
}

/** Ends a reader's open question. Lock or write the reader's row first. @returns whether there was one */
export async function closeQuestion(db: Db | Tx, id: number, outcome: QuestionOutcome, now: Date): Promise<boolean> {
  const result = await db
    .updateTable("questions")
    .set({ outcome, closed_at: now })
    .where("subscriber_id", "=", id)
    .where("outcome", "is", null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Remembers an act of the reader's own, which also answers an open question, and ends the pause after an unanswered one. */
export async function noteOwnAct(db: Db | Tx, id: number, now: Date): Promise<void> {
  await db
    .updateTable("subscribers")
    .set({ acted_at: now, paused_since: null, paused_for: null })
    .where("id", "=", id)
    .execute();
  await closeQuestion(db, id, "kept", now);
}

/** An open question that may have to be ended. */
export interface OpenQuestion {
  id: number;
  reader: number;
  status: SubscriberStatus;
  cause: QuestionCause;
  sentAt: Date | null;
  /** Of its email; null once retention has removed it. */
  notice: DeliveryState | null;
}

/** Open questions to readers whose emails bounce that the relay did not take either, with its last reply. */
export async function refusedQuestions(db: Db): Promise<{ id: number; reply: string }[]> {
  const { rows } = await sql<{ id: number; reply: string }>`
    select q.id, n.reply from questions q join notices n on n.id = q.notice_id
    where q.outcome is null and q.sent_at is null and q.cause = 'bounces' and n.state in ('rejected', 'expired')
      and n.reply is not null`.execute(db);
  return rows;
}

/**
 * Takes over from the notices when their emails were sent. Run it more often than retention removes notices.
 * @param refused ids of questions whose emails were not taken, and that count as sent
 */
export async function noteSent(db: Db, refused: readonly number[]): Promise<void> {
  await sql`
    update questions q set sent_at = n.settled_at from notices n
    where n.id = q.notice_id and (n.state = 'sent' or q.id = any(${refused}::bigint[])) and q.outcome is null
      and q.sent_at is null`.execute(db);
}

/**
 * A page of open questions, by id, with their readers locked until the transaction ends (see `lockReaders`). Leaves out those that can
 * only go on: their emails are under way, or were sent after `sentBefore`.
 * @param page.cause all of this cause, however young
 */
export async function lockOpenQuestions(
  tx: Tx,
  page: { sentBefore: Date; cause: QuestionCause | null; after: number; limit: number },
): Promise<OpenQuestion[]> {
  const { rows } = await sql<OpenQuestion>`
    with page as materialized (
      select q.id, q.subscriber_id, q.cause, q.sent_at, n.state
      from questions q join subscribers s on s.id = q.subscriber_id left join notices n on n.id = q.notice_id
      where q.outcome is null and q.id > ${page.after} and (
        s.status <> 'active' or q.sent_at <= ${page.sentBefore} or q.cause = ${page.cause}
        or q.sent_at is null and coalesce(n.state not in ('pending', 'sending', 'deferred', 'sent'), true)
      )
      order by q.id limit ${page.limit}
    )
    select p.id, s.id as reader, s.status, p.cause, p.sent_at as "sentAt", p.state as notice
    from page p join subscribers s on s.id = p.subscriber_id
    order by s.id for no key update of s`.execute(tx);
  return rows.toSorted((a, b) => a.id - b.id);
}

/**
 * Ends questions, and pauses the readers of those that end so. A question that its reader has answered since it was read stays as it is.
 * @returns how those ended that were still open
 */
export async function endQuestions(
  tx: Tx,
  ended: readonly (Pick<OpenQuestion, "id"> & { outcome: QuestionOutcome })[],
  now: Date,
): Promise<QuestionOutcome[]> {
  if (ended.length === 0) return [];
  const { rows } = await sql<{ outcome: QuestionOutcome }>`
    with ended as (
      update questions q set outcome = e.outcome, closed_at = ${now}
      from unnest(${ended.map(({ id }) => id)}::bigint[], ${ended.map(({ outcome }) => outcome)}::text[]) as e(id, outcome)
      where q.id = e.id and q.outcome is null
      returning q.subscriber_id, q.cause, q.outcome
    ), paused as (
      update subscribers s set paused_since = ${now}, paused_for = ended.cause from ended
      where s.id = ended.subscriber_id and ended.outcome = 'paused' and s.status = 'active'
    )
    select outcome from ended`.execute(tx);
  return rows.map(({ outcome }) => outcome);
}

/** A reader's questions, the newest first. */
export function questionsOf(db: Db, id: number): Promise<Question[]> {
  return db
    .selectFrom("questions")
    .select(["cause", "asked_at as askedAt", "sent_at as sentAt", "outcome", "closed_at as closedAt"])
    .where("subscriber_id", "=", id)
    .orderBy("id", "desc")
    .execute();
}

export interface QuestionCounts extends Record<QuestionOutcome, number> {
  asked: number;
  /** Not answered yet. */
  open: number;
  /** Active readers who are paused now because they did not answer. */
  pausedReaders: number;
}

/** What became of the questions since a time. */
export async function countQuestions(db: Db, since: Date): Promise<QuestionCounts> {
  const { rows } = await sql<QuestionCounts>`
    select count(*) as asked, count(*) filter (where outcome is null) as open,
      count(*) filter (where outcome = 'kept') as kept, count(*) filter (where outcome = 'unsubscribed') as unsubscribed,
      count(*) filter (where outcome = 'paused') as paused, count(*) filter (where outcome = 'dropped') as dropped,
      (select count(*) from subscribers where status = 'active' and paused_since is not null) as "pausedReaders"
    from questions where asked_at >= ${since}`.execute(db);
  return rows[0]!;
}
