import type { Db, Tx } from "../db/schema.ts";
import type { AuditAction } from "./audit.ts";

export interface AuditLine {
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
