import { sql, type RawBuilder } from "kysely";
import type { Tx } from "../db/schema.ts";
import type { Outcome } from "./outcome.ts";
import { canMove, changes, eitherChanges } from "./state.ts";

/** A sender, and the claims that it knows of. */
export interface Claimant {
  sender: string;
  held: readonly (number | string)[];
}

/** The tables that a ledger works on, with the type of their ids. */
const idTypes = { deliveries: sql`bigint`, notices: sql`bigint`, alert_calls: sql`uuid` };
export type SendingTable = keyof typeof idTypes;

/**
 * Outcomes as rows (id, edition_id, state, code, data, reply, due_at, lost), for the `from` of a statement on `table`. Only
 * deliveries have an edition.
 */
export function outcomeRows(
  table: SendingTable,
  outcomes: readonly (Outcome<number | string> & { editionId?: number })[],
): RawBuilder<unknown> {
  return sql`unnest(
    ${outcomes.map((o) => o.id)}::${idTypes[table]}[], ${outcomes.map((o) => o.editionId ?? null)}::bigint[],
    ${outcomes.map((o) => o.state)}::text[],
    ${outcomes.map((o) => o.code ?? null)}::text[], ${outcomes.map((o) => (o.data ? JSON.stringify(o.data) : null))}::text[],
    ${outcomes.map((o) => o.reply)}::text[], ${outcomes.map((o) => o.dueAt?.toISOString() ?? null)}::text[],
    ${outcomes.map((o) => o.lost === true)}::boolean[]
  ) as g(id, edition_id, state, code, data, reply, due_at, lost)`;
}

/**
 * Records outcomes of rows that `sender` was the last to claim. This also corrects a row that was swept as lost in the
 * meantime. Deliveries have their own version of this.
 */
export async function settleRows(
  tx: Tx,
  table: SendingTable,
  request: { sender: string; outcomes: readonly Outcome<number | string>[]; now: Date },
): Promise<void> {
  const { sender, outcomes, now } = request;
  if (outcomes.length === 0) return;
  await sql`
    update ${sql.table(table)} d set ${changes("settle", {
      now,
      state: sql`g.state`,
      due_at: sql`g.due_at`,
      reason_code: sql`g.code`,
      reason_data: sql`g.data`,
      reply: sql`g.reply`,
    })}
    from ${outcomeRows(table, outcomes)}
    where d.id = g.id and d.claim = ${sender}::uuid and ${canMove("settle")}`.execute(tx);
}

/**
 * That row `d` is claimed by a sender that does not know of it, and so has not sent it. This also holds for a row that was
 * swept as lost while its sender seemed dead.
 */
export function isForgotten(table: SendingTable, { sender, held }: Claimant): RawBuilder<boolean> {
  return sql<boolean>`(
    ${canMove("unclaim", "unclaim-lost")} and d.claim = ${sender}::uuid and d.id <> all(${held}::${idTypes[table]}[]))`;
}

/** Rows that have been tried before are deferred again, with the time that they had. What was swept as lost is due at once. */
export async function unclaimRows(tx: Tx, table: SendingTable, claimant: Claimant, now: Date): Promise<void> {
  const free = async (condition: RawBuilder<boolean>, columns: RawBuilder<unknown>): Promise<void> => {
    await sql`
      update ${sql.table(table)} d set ${columns} where ${condition} and ${isForgotten(table, claimant)}`.execute(tx);
  };
  await free(canMove("unclaim"), eitherChanges(sql`d.attempts > 1`, ["unclaim-deferred", "unclaim"], { now }));
  await free(canMove("unclaim-lost"), changes("unclaim-lost", { now }));
}

/** Keeps the state of the editions as it is until the transaction ends. */
export async function lockEditions(tx: Tx, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`select id from editions where id = any(${ids}::bigint[]) order by id for no key update`.execute(tx);
}
