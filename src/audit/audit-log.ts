import type { Db } from "../db/schema.ts";

export interface AuditLine {
  id: number;
  at: Date;
  actor: string;
  action: string;
  subject: string;
  detail: Record<string, unknown>;
  /** Network address; null for what the program did by itself. */
  from: string | null;
}

/**
 * What was done, the newest first.
 * @param request `before` is the id of the last one of the page before
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
