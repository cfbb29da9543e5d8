import { sql } from "kysely";
import type { Db, NoticeKind, Tx } from "../db/schema.ts";
import type { Outcome } from "../deliveries/claims.ts";

/** A notice that nobody could send for this long is of no use any more. */
const usefulMs = 24 * 3_600_000;

export interface NewNotice {
  kind: NoticeKind;
  /** Whose mail it is; null for a sample copy, which goes to nobody we know. */
  subscriberId: number | null;
  address: string;
  consentId?: number;
  payload?: Record<string, unknown>;
}

/** A notice that this process has claimed and must now send. */
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

/** What became of a claimed notice; skipped: what it was about is no longer so. */
export type NoticeOutcome = Outcome | { id: number; state: "skipped"; reply: string; dueAt: null };

/** Writes down that a mail is to be sent; ask for `send-notices` once this is committed. */
export async function addNotice(tx: Db | Tx, notice: NewNotice, now: Date): Promise<void> {
  await tx
    .insertInto("notices")
    .values({
      kind: notice.kind,
      subscriber_id: notice.subscriberId,
      address: notice.address,
      consent_id: notice.consentId ?? null,
      payload: JSON.stringify(notice.payload ?? {}),
      due_at: now,
      created_at: now,
      expires_at: new Date(now.getTime() + usefulMs),
    })
    .execute();
}

/** Claims up to `count` due notices for `sender`; committed when this returns, before SMTP sees any of it. */
export async function claimNotices(
  db: Db,
  request: { sender: string; count: number; now: Date },
): Promise<ClaimedNotice[]> {
  const { rows } = await sql<ClaimedNotice>`
    with picked as (
      select id from notices
      where state in ('pending', 'deferred') and due_at <= ${request.now} and expires_at > ${request.now}
      order by due_at, id limit ${request.count}
      for update skip locked
    )
    update notices n set state = 'sending', attempts = n.attempts + 1, claim = ${request.sender}::uuid,
      claimed_at = ${request.now}
    from picked where n.id = picked.id
    returning n.id, n.kind, n.attempts, n.subscriber_id as "subscriberId", n.consent_id as "consentId", n.address,
      n.payload, n.created_at as "createdAt"`.execute(db);
  return rows;
}

/** Writes outcomes down, for as long as the claim is still the sender's or was given up for dead. */
export async function settleNotices(
  tx: Tx,
  sender: string,
  outcomes: readonly NoticeOutcome[],
  now: Date,
): Promise<void> {
  for (const { id, state, reply, dueAt } of outcomes) {
    await tx
      .updateTable("notices")
      .set({ state, reply, claim: null, settled_at: now, ...(dueAt === null ? {} : { due_at: dueAt }) })
      .where("id", "=", id)
      .where("claim", "=", sender)
      .where("state", "in", ["sending", "unknown"])
      .execute();
  }
}

/** Whether a notice can be sent now. */
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

/**
 * Ends what waited too long, and takes the claims of senders that are no more: `unknown`, or pending where the
 * publication chose to risk a second copy.
 */
export async function tidyNotices(
  db: Db,
  options: { now: Date; self: string; policy: "hold" | "resend" },
): Promise<void> {
  const { now, self, policy } = options;
  await sql`
    update notices n set
      state = ${policy === "hold" ? "unknown" : "pending"},
      settled_at = ${policy === "hold" ? now : null},
      reply = 'the sender stopped before the relay''s answer was written down'
    where n.state = 'sending' and n.claim <> ${self}::uuid and not exists (
      select 1 from senders s where s.id = n.claim
    )`.execute(db);
  await sql`
    update notices set state = 'expired', settled_at = ${now},
      reply = coalesce('last answer: ' || reply, 'not sent in time')
    where state in ('pending', 'deferred') and expires_at <= ${now}`.execute(db);
}
