import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { OutcomeReason } from "../ledger/outcome.ts";
import type { DeliveryState } from "../ledger/state.ts";

/** An email to an address that doesn't exist, which is sent to see its bounce come back. */
export interface TestNotice {
  address: string;
  state: DeliveryState;
  reason: OutcomeReason;
  createdAt: Date;
  /** null until the bounce has come back. */
  returned: TestReturn | null;
}

/** The bounce of such an email. */
export interface TestReturn {
  at: Date;
  code: string | null;
  /** The server's words, without addresses. */
  text: string | null;
}

export async function findTestNotice(db: Db, id: number): Promise<TestNotice | null> {
  const row = await db
    .selectFrom("notices")
    .select(["address", "state", "reason_code", "reason_data", "reply", "created_at", "payload"])
    .where("id", "=", id)
    .where("kind", "=", "test")
    .executeTakeFirst();
  if (!row) return null;
  const { address, state, reply, reason_code: code, reason_data: data, created_at: createdAt, payload } = row;
  const returned = payload["returned"] as (Omit<TestReturn, "at"> & { at: string }) | undefined;
  return {
    address,
    state,
    reason: { code, data: data ?? {}, reply },
    createdAt,
    returned: returned === undefined ? null : { ...returned, at: new Date(returned.at) },
  };
}

/** Notes that the bounce of a test came back. @returns false if this is not the first one, or the email is no test */
export async function noteTestReturn(tx: Tx, id: number, returned: TestReturn): Promise<boolean> {
  const { rows } = await sql`
    update notices set payload = payload || ${JSON.stringify({ returned })}::jsonb
    where id = ${id} and kind = 'test' and not payload ? 'returned' returning id`.execute(tx);
  return rows.length > 0;
}

/** Removes a test, and those from before `since`, whose commands were killed. */
export async function removeTestNotices(db: Db, { id, since }: { id: number | null; since: Date }): Promise<void> {
  await sql`delete from notices where kind = 'test' and (id = ${id} or created_at < ${since})`.execute(db);
}
