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
  | "queues change"
  | "schedule skip"
  | "schedule unskip"
  | "settings set"
  | "source add"
  | "source check"
  | "source remove"
  | "subscriber add"
  | "subscriber erase"
  | "subscriber invite"
  | "subscriber unsubscribe"
  | "subscribers import"
  | "suppression add"
  | "suppression remove"
  | "tag alias"
  | "tag hide"
  | "tag merge"
  | "tag rename"
  | "tag unalias"
  | "tag unhide"
  | "token add"
  | "token revoke";

export interface AuditEntry {
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
