import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import type { Balance } from "../ledger/balance.ts";
import { countEditions } from "./store.ts";

/** How many editions share one partition. */
const editionsPerBlock = 16;
/** How many editions ahead partitions are created, so that opening an edition does not create one. */
const ahead = editionsPerBlock;

/** A partition of the deliveries: those of the editions `from` ≤ id < `to`; `from` is null for the oldest. */
interface Block {
  name: string;
  from: number | null;
  to: number;
}

/** Makes the partitions for the next editions. Other transactions go on reading and writing deliveries meanwhile. */
export async function ensurePartitions(db: Db): Promise<void> {
  const { rows } = await sql<{ last: number }>`select coalesce(max(id), 0)::int8 as last from editions`.execute(db);
  const wanted = rows[0]!.last + ahead;
  const { to } = (await listBlocks(db)).at(-1)!;
  if (to <= wanted) await db.transaction().execute((tx) => makePartitions(tx, wanted));
}

/** Makes the partitions up to that of the edition `editionId`, in the caller's transaction. */
export async function makePartitions(tx: Tx, editionId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(${blocksLock})`.execute(tx);
  for (let from = (await listBlocks(tx)).at(-1)!.to; from <= editionId; from += editionsPerBlock) {
    const name = sql.table(`deliveries_from_${from}`);
    // Created as a table and then attached. `create table … partition of` would wait for every reader of the deliveries
    // and block everyone after it.
    await sql`create table ${name} (like deliveries including defaults including constraints)`.execute(tx);
    await sql`
      alter table deliveries attach partition ${name}
      for values from (${sql.lit(from)}) to (${sql.lit(from + editionsPerBlock)})`.execute(tx);
  }
}

/** "DELI". Any number works if every node uses the same one. */
const blocksLock = 0x44454c49;

/** In the order of the editions. */
async function listBlocks(db: Db | Tx): Promise<Block[]> {
  const { rows } = await sql<Block>`
    select c.relname::text as name,
      (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \\(''?(\\d+)'))[1]::bigint as from,
      (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''?(\\d+)'))[1]::bigint as to
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'deliveries'::regclass order by 3`.execute(db);
  return rows;
}

/** A partition that cannot be locked within this time is dropped another day. */
const lockLimitMs = 2_000;

/**
 * Drops the partitions whose editions are all closed since before `closedBefore`.
 * @param keep stores the counts of an edition whose deliveries are dropped
 * @returns the number of editions whose deliveries were dropped
 */
export async function dropOldDeliveries(
  db: Db,
  closedBefore: Date,
  keep: (tx: Tx, editionId: number, counts: Balance) => Promise<void>,
): Promise<number> {
  let dropped = 0;
  for (const block of await listBlocks(db)) {
    const editions = await db
      .transaction()
      .execute((tx) => dropBlock(tx, block, closedBefore, keep))
      .catch(unlessLocked);
    if (editions === null) break;
    dropped += editions;
  }
  return dropped;
}

/** Another transaction reads or writes deliveries for long (SQLSTATE 55P03, lock_not_available). */
function unlessLocked(error: unknown): null {
  if ((error as { code?: string }).code === "55P03") return null;
  throw error;
}

/** @returns the number of its editions; null if it has to stay */
async function dropBlock(
  tx: Tx,
  { name, from, to }: Block,
  closedBefore: Date,
  keep: Parameters<typeof dropOldDeliveries>[2],
): Promise<number | null> {
  const last = await tx.selectFrom("editions").select("id").orderBy("id", "desc").limit(1).executeTakeFirst();
  // Editions that are to come belong to it.
  if (!last || last.id < to) return null;
  const editions = await tx
    .selectFrom("editions")
    .select(["id", "selected", "closed_at as closedAt", "final_counts"])
    .where("id", ">=", from ?? 0)
    .where("id", "<", to)
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
  if (editions.some(({ closedAt }) => closedAt === null || closedAt >= closedBefore)) return null;
  const sent = editions.filter(({ selected }) => selected > 0);
  for (const [id, counts] of await countEditions(tx, sent)) await keep(tx, id, counts);
  await sql`set local lock_timeout = ${sql.lit(lockLimitMs)}`.execute(tx);
  await sql`drop table ${sql.table(name)}`.execute(tx);
  return editions.length;
}
