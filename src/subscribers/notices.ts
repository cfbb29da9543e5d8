import { sql } from "kysely";
import type { Db, NoticeKind, Tx } from "../db/schema.ts";
import type { Outcome } from "../deliveries/claims.ts";

/** A notice that could not be sent for this long has lost its purpose. */
const usefulMs = 24 * 3_600_000;

export interface NewNotice {
  kind: NoticeKind;
  /** The reader; null for a sample copy. */
  subscriberId: number | null;
  address: string;
  consentId?: number;
  payload?: Record<string, unknown>;
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

/** Why a notice was not sent, when it was not the relay that refused it. */
export type NoticeReason =
  | "complained"
  | "suppressed"
  | "not_subscribed"
  | "nothing_to_confirm"
  | "address_changed_back"
  | "sample_limit"
  | "no_article"
  | "build_failed"
  | "sender_stopped"
  | "not_sent_in_time";

/** The outcome of a claimed notice. A skipped one no longer had a purpose. */
export type NoticeOutcome =
  | (Outcome & { reason?: undefined })
  | { id: number; state: "skipped" | "rejected"; reason: NoticeReason; reply: string | null; dueAt: null };

/** Queues a notice. Wake `send-notices` after the transaction. */
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

/** Records outcomes while the claim is still the sender's, or after it was given up as unknown. */
export async function settleNotices(
  tx: Tx,
  sender: string,
  outcomes: readonly NoticeOutcome[],
  now: Date,
): Promise<void> {
  for (const { id, state, reason = null, reply, dueAt } of outcomes) {
    await tx
      .updateTable("notices")
      .set({
        state,
        reason_code: reason,
        reply,
        claim: null,
        settled_at: now,
        ...(dueAt === null ? {} : { due_at: dueAt }),
      })
      .where("id", "=", id)
      .where("claim", "=", sender)
      .where("state", "in", ["sending", "unknown"])
      .execute();
  }
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

/**
 * Expires notices that waited too long and releases the claims of dead senders: they become `unknown`, or pending where the
 * publication accepts a possible second copy.
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
      reason_code = ${"sender_stopped" satisfies NoticeReason}, reply = null
    where n.state = 'sending' and n.claim <> ${self}::uuid and not exists (
      select 1 from senders s where s.id = n.claim
    )`.execute(db);
  await sql`
    update notices set state = 'expired', settled_at = ${now},
      reason_code = ${"not_sent_in_time" satisfies NoticeReason}
    where state in ('pending', 'deferred') and expires_at <= ${now}`.execute(db);
}
