import { sql, type RawBuilder } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { complaint } from "./suppressions.ts";
import { addressHash } from "./tokens.ts";

const atATime = 500;

/**
 * Gives suppressed readers the hash that their suppression has. The database does not know the secret, so it cannot find a reader's
 * suppression without it.
 * @param most readers
 */
export async function hashReaders(db: Db | Tx, secret: string, most = Infinity): Promise<void> {
  for (let done = 0; done < most; done += atATime) {
    const readers = await db
      .selectFrom("subscribers")
      .select(["id", "address_key as key"])
      .where("status", "=", "suppressed")
      .where("address_hash", "is", null)
      .orderBy("id")
      .limit(atATime)
      .execute();
    if (readers.length === 0) return;
    await sql`
      update subscribers s set address_hash = g.hash
      from unnest(${readers.map(({ id }) => id)}::bigint[], ${readers.map(({ key }) => key)}::text[],
        ${readers.map(({ key }) => addressHash(secret, key))}::bytea[]) as g(id, key, hash)
      where s.id = g.id and s.address_key = g.key`.execute(db);
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
  await hashReaders(tx, secret);
  const { rows } = await sql<{ lifted: number; resumed: number }>`
    with lifted as (
      delete from suppressions s where ${which} and s.reason <> ${complaint}
      returning s.address_hash, s.created_at, s.edition_id
    ), readers as (
      update subscribers r set
        -- Suppression and left_at have the same time, unless the reader has left before or since.
        status = case when r.left_at = l.created_at then 'active' else 'unsubscribed' end,
        left_at = case when r.left_at = l.created_at then null else r.left_at end
      from lifted l
      where r.address_hash = l.address_hash and r.status = 'suppressed' and l.edition_id is not null
      returning r.status
    )
    select (select count(*) from lifted)::int as lifted,
      (select count(*) from readers where status = 'active')::int as resumed`.execute(tx);
  return rows[0]!;
}

/**
 * Lifts the suppressions of an edition, see `liftMany`.
 * @returns how many
 */
export async function takeBackSuppressions(tx: Tx, secret: string, editionId: number): Promise<number> {
  return (await liftMany(tx, secret, sql<boolean>`s.edition_id = ${editionId}`)).lifted;
}
