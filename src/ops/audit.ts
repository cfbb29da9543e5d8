import type { Db, Tx } from "../db/schema.ts";

export interface AuditEntry {
  at: Date;
  /** A token's name, or `dayletter` for what the program does by itself. */
  actor: string;
  action: string;
  subject: string;
  detail?: object;
}

export async function writeAudit(db: Db | Tx, { detail = {}, ...entry }: AuditEntry): Promise<void> {
  await db
    .insertInto("audit")
    .values({ ...entry, detail: JSON.stringify(detail) as never })
    .execute();
}
