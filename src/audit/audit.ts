import { AsyncLocalStorage } from "node:async_hooks";
import type { Db, Tx } from "../db/schema.ts";

export interface AuditEntry {
  at: Date;
  /** An operator's or token's name, or `dayletter` for what the program does by itself. */
  actor: string;
  action: string;
  subject: string;
  detail?: object;
}

// The one thing that is passed by the side: use cases know who acts, and need not know what a network address is.
const origin = new AsyncLocalStorage<string>();

/** Whatever `work` and what it awaits write into the audit log came from this network address. */
export function actingFrom<T>(address: string, work: () => T): T {
  return origin.run(address, work);
}

export async function writeAudit(db: Db | Tx, { detail = {}, ...entry }: AuditEntry): Promise<void> {
  await db
    .insertInto("audit")
    .values({ ...entry, detail: JSON.stringify(detail) as never, came_from: origin.getStore() ?? null })
    .execute();
}
