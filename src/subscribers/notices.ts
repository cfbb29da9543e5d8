import { sql } from "kysely";
import type { Db, NoticeKind, Tx } from "../db/schema.ts";
import type { Ledger, LedgerTable } from "../ledger/ledger.ts";
import type { Outcome } from "../ledger/outcome.ts";
import { canMove, changes } from "../ledger/state.ts";
import { settleRows, unclaimRows } from "../ledger/rows.ts";

/** A notice that could not be sent for this long has lost its purpose. */
const usefulMs = 24 * 3_600_000;

export interface NewNotice {
  kind: NoticeKind;
  /** The reader; null for a sample copy. */
  subscriberId: number | null;
  address: string;
  consentId?: number;
  payload?: Record<string, unknown>;
  /** Now if left out. */
  dueAt?: Date;
}

/** A notice that this process has claimed and must send. */
export interface ClaimedNotice {
  id: number;
  kind: NoticeKind;
  attempts: number;
  subscriberId: number | null;
  consentId: number | null;
  address: string;
  payload: Record<string, unknown>;
  createdAt: Date;
}

export type NoticeLedger = Ledger<object, ClaimedNotice, Outcome>;

/** The notices, for a ledger. */
export const noticeTable: LedgerTable<object, ClaimedNotice, Outcome> = {
  async claim(tx, { sender, count, now }) {
    const { rows } = await sql<ClaimedNotice>`
      with picked as (
        select d.id from notices d where ${canMove("claim")} and d.due_at <= ${now} and d.expires_at > ${now}
        -- Nobody waits for a question, and thousands of them can be due after a pause of the relay.
        order by d.kind = 'question', d.due_at, d.id limit ${count}
        for update skip locked
      )
      update notices d set ${changes("claim", { now, claim: sql`${sender}` })}
      from picked where d.id = picked.id
      returning d.id, d.kind, d.attempts, d.subscriber_id as "subscriberId", d.consent_id as "consentId", d.address,
        d.payload, d.created_at as "createdAt"`.execute(tx);
    return { claimed: rows, skipped: 0 };
  },
  unclaim: (tx, claimant, now) => unclaimRows(tx, "notices", claimant, now),
  async settle(tx, sender, outcomes, now) {
    await settleRows(tx, "notices", { sender, outcomes, now });
    return null;
  },
};

/** Queues a notice. Wake `send-notices` after the transaction. */
export async function addNotice(tx: Db | Tx, notice: NewNotice, now: Date): Promise<void> {
  await addNotices(tx, [notice], now);
}

/** Queues several, at least one. @returns their ids */
export async function addNotices(
  tx: Db | Tx,
  notices: readonly NewNotice[],
  now: Date,
): Promise<{ id: number; subscriberId: number | null }[]> {
  return tx
    .insertInto("notices")
    .values(
      notices.map(({ dueAt = now, ...notice }) => ({
        kind: notice.kind,
        subscriber_id: notice.subscriberId,
        address: notice.address,
        consent_id: notice.consentId ?? null,
        payload: JSON.stringify(notice.payload ?? {}),
        due_at: dueAt,
        created_at: now,
        expires_at: new Date(dueAt.getTime() + usefulMs),
      })),
    )
    .returning(["id", "subscriber_id as subscriberId"])
    .execute();
}

/** Whether a notice is due. */
export async function hasDueNotices(db: Db, now: Date): Promise<boolean> {
  const row = await db
    .selectFrom("notices")
    .select("id")
    .where("state", "in", ["pending", "deferred"])
    .where("due_at", "<=", now)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** The same for notices as `bringForward` for deliveries. */
export async function bringNoticesForward(
  tx: Tx,
  { since, until }: { since: Date; until: Date },
  now: Date,
): Promise<void> {
  await sql`
    update notices d set due_at = ${now}
    where d.state = 'deferred' and d.due_at > ${now} and d.due_at <= ${until}
      and d.settled_at >= ${since} and d.reason_code is distinct from 'sender_stopped'`.execute(tx);
}

/** Expires notices that waited too long. */
export async function expireNotices(db: Db, now: Date): Promise<void> {
  await sql`update notices d set ${changes("expire", { now })} where ${canMove("expire")} and d.expires_at <= ${now}`.execute(
    db,
  );
}
