import { sql, type RawBuilder } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { lockBulkChanges, lockReaders } from "./lock.ts";
import { complaint } from "./suppressions.ts";
import { addressHash } from "./tokens.ts";

const atATime = 500;

/** Suppressed readers without the hash that their suppression has, in pages, with this hash. */
async function* unhashedReaders(
  db: Db | Tx,
  secret: string,
): AsyncGenerator<readonly { id: number; key: string; hash: Buffer }[]> {
  for (let after = 0; ;) {
    const readers = await db
      .selectFrom("subscribers")
      .select(["id", "address_key as key"])
      .where("status", "=", "suppressed")
      .where("address_hash", "is", null)
      .where("id", ">", after)
      .orderBy("id")
      .limit(atATime)
      .execute();
    const last = readers.at(-1);
    if (!last) return;
    yield readers.map((reader) => ({ ...reader, hash: addressHash(secret, reader.key) }));
    after = last.id;
  }
}

/**
 * Gives suppressed readers the hash that their suppression has. The database does not know the secret, so it cannot find a reader's
 * suppression without it.
 * @param most readers
 */
export async function hashReaders(db: Db, secret: string, most = Infinity): Promise<void> {
  let done = 0;
  for await (const readers of unhashedReaders(db, secret)) {
    const ids = readers.map(({ id }) => id);
    // Readers who are being changed get their hashes later: a page must not wait for an import.
    await sql`
      with free as materialized (
        select s.id from subscribers s where s.id = any(${ids}::bigint[]) order by s.id for no key update skip locked
      )
      update subscribers s set address_hash = g.hash
      from free, unnest(${ids}::bigint[], ${readers.map(({ key }) => key)}::text[],
        ${readers.map(({ hash }) => hash)}::bytea[]) as g(id, key, hash)
      where free.id = s.id and s.id = g.id and s.address_key = g.key`.execute(db);
    done += readers.length;
    if (done >= most) return;
  }
}

/**
 * Lifts suppressions, except those after a complaint. Readers who were suppressed because of an edition's email are active again,
 * or unsubscribed if they have unsubscribed since. For all others, only a sign-up brings them back.
 * @param which a condition about suppression `s`
 */
export async function liftMany(
  tx: Tx,
  secret: string,
  which: RawBuilder<boolean>,
): Promise<{ lifted: number; resumed: number }> {
  await lockBulkChanges(tx);
  // Chosen before their readers are locked. A suppression that is stored later stays, because its reader is not among those.
  await sql`create temp table lifting (hash bytea primary key, reader bigint) on commit drop`.execute(tx);
  await sql`
    insert into lifting
    select s.address_hash as hash, r.id as reader from suppressions s
    left join subscribers r on r.address_hash = s.address_hash and r.status = 'suppressed'
    where ${which} and s.reason <> ${complaint}`.execute(tx);
  // Without this, the planner does not know how many rows there are.
  await sql`analyze lifting`.execute(tx);
  for await (const readers of unhashedReaders(tx, secret)) {
    await sql`
      update lifting set reader = g.id
      from unnest(${readers.map(({ id }) => id)}::bigint[], ${readers.map(({ hash }) => hash)}::bytea[]) as g(id, hash)
      where lifting.hash = g.hash`.execute(tx);
  }
  await lockReaders(tx, sql<boolean>`s.id in (select reader from lifting)`);
  const { rows } = await sql<{ lifted: number; resumed: number }>`
    with found as materialized (
      select s.address_hash from suppressions s
      where s.address_hash in (select hash from lifting) and ${which} and s.reason <> ${complaint}
      order by s.address_hash for update
    ), lifted as (
      delete from suppressions s using found where s.address_hash = found.address_hash
      returning s.address_hash, s.created_at, s.edition_id
    ), readers as (
      update subscribers r set
        -- Suppression and left_at have the same time, unless the reader has left before or since.
        status = case when r.left_at = l.created_at then 'active' else 'unsubscribed' end,
        left_at = case when r.left_at = l.created_at then null else r.left_at end
      from lifted l join lifting on lifting.hash = l.address_hash
      where r.id = lifting.reader and r.status = 'suppressed' and l.edition_id is not null
      returning r.status
    )
    select (select count(*) from lifted)::int as lifted,
      (select count(*) from readers where status = 'active')::int as resumed`.execute(tx);
  await sql`drop table lifting`.execute(tx);
  return rows[0]!;
}

/**
 * Lifts the suppressions of an edition, see `liftMany`.
 * @returns how many
 */
export async function takeBackSuppressions(tx: Tx, secret: string, editionId: number): Promise<number> {
  return (await liftMany(tx, secret, sql<boolean>`s.edition_id = ${editionId}`)).lifted;
}
