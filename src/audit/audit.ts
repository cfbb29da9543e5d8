import { AsyncLocalStorage } from "node:async_hooks";
import type { Db, Tx } from "../db/schema.ts";

/** Acts after which somebody else's view of the schedule is outdated. */
export const scheduleChanges = ["schedule set", "schedule move"] as const;
/** The same of an edition. */
export const editionChanges = ["edition edit"] as const;

export type AuditAction =
  | (typeof scheduleChanges)[number]
  | (typeof editionChanges)[number]
  | "alert test"
  | "article hide"
  | "bounce test"
  | "edition approve"
  | "edition cancel"
  | "edition check-links"
  | "edition pause"
  | "edition resend-unknown"
  | "edition resume"
  | "edition retry"
  | "edition send"
  | "edition test"
  | "edition unsuppress"
  | "operator add"
  | "operator codes off"
  | "operator codes on"
  | "operator codes reset"
  | "operator disable"
  | "operator enable"
  | "operator end sessions"
  | "operator link"
  | "operator password"
  | "operator recovery codes"
  | "operator role editor"
  | "operator role owner"
  | "operator role viewer"
  | "operator set up"
  | "operator sign in"
  | "operator sign out"
  | "outcomes record"
  | "provider resume"
  | "queues change"
  | "relay resume"
  | "schedule skip"
  | "schedule unskip"
  | "settings set"
  | "source add"
  | "source check"
  | "source edit"
  | "source remove"
  | "subscriber add"
  | "subscriber edit"
  | "subscriber erase"
  | "subscriber invite"
  | "subscriber unsubscribe"
  | "subscribers ask"
  | "subscribers import"
  | "subscribers pause"
  | "suppression add"
  | "suppression remove"
  | "suppressions import"
  | "suppressions remove"
  | "tag alias"
  | "tag hide"
  | "tag merge"
  | "tag rename"
  | "tag unalias"
  | "tag unhide"
  | "token add"
  | "token revoke";

interface AuditEntry {
  at: Date;
  /** An operator's or token's name, or `dayletter` for automatic actions. */
  actor: string;
  action: AuditAction;
  subject: string;
  detail?: object;
}

// Kept outside of use cases' parameters: they know the actor and do not need the network address.
const origin = new AsyncLocalStorage<string>();

/** Audit entries written during `work` record this network address. */
export function actingFrom<T>(address: string, work: () => T): T {
  return origin.run(address, work);
}

export async function writeAudit(db: Db | Tx, { detail = {}, ...entry }: AuditEntry): Promise<void> {
  await db
    .insertInto("audit")
    .values({ ...entry, detail: JSON.stringify(detail) as never, came_from: origin.getStore() ?? null })
    .execute();
}

interface AuditLine {
  id: number;
  at: Date;
  actor: string;
  action: string;
  subject: string;
  detail: Record<string, unknown>;
  /** Network address; null for automatic actions. */
  from: string | null;
}

/**
 * Audit entries, newest first.
 * @param request `before` is the id of the last entry of the previous page
 */
export async function listAudit(db: Db, request: { before?: number; limit: number }): Promise<AuditLine[]> {
  const { before, limit } = request;
  const rows = await db
    .selectFrom("audit")
    .select(["id", "at", "actor", "action", "subject", "detail", "came_from as from"])
    .$if(before !== undefined, (query) => query.where("id", "<", before!))
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, detail: row.detail as Record<string, unknown> }));
}

/** Who did one of these acts last; null when nobody did. @param subject of acts on one thing, such as an edition's name */
export async function lastActor(
  tx: Db | Tx,
  actions: readonly AuditAction[],
  subject?: string,
): Promise<string | null> {
  const last = await tx
    .selectFrom("audit")
    .select("actor")
    .where("action", "in", actions)
    .$if(subject !== undefined, (query) => query.where("subject", "=", subject!))
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return last?.actor ?? null;
}
