import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { complaint } from "./suppressions.ts";
import { addressHash } from "./tokens.ts";

/** How many addresses are suppressed because of an edition's emails. */
export async function countSuppressed(db: Db | Tx, editionId: number): Promise<number> {
  const row = await db
    .selectFrom("suppressions")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("edition_id", "=", editionId)
    .where("reason", "<>", complaint)
    .executeTakeFirstOrThrow();
  return row.count;
}

/**
 * Lifts the suppressions of an edition and makes its readers active again. A reader who has unsubscribed since stays
 * unsubscribed, and an address with another reason stays suppressed.
 * @returns how many suppressions
 */
export async function takeBackSuppressions(tx: Tx, secret: string, editionId: number): Promise<number> {
  const lifted = await tx
    .deleteFrom("suppressions")
    .where("edition_id", "=", editionId)
    .where("reason", "<>", complaint)
    .returning(["address_hash", "created_at"])
    .execute();
  if (lifted.length === 0) return 0;
  const suppressedAt = new Map(lifted.map((row) => [row.address_hash.toString("hex"), row.created_at.getTime()]));
  const readers = await tx
    .selectFrom("deliveries as d")
    .innerJoin("subscribers as s", "s.id", "d.subscriber_id")
    .select(["s.id", "s.address_key", "s.left_at"])
    .where("d.edition_id", "=", editionId)
    .where("s.status", "=", "suppressed")
    .execute();
  const back: number[] = [];
  const left: number[] = [];
  for (const reader of readers) {
    const at = suppressedAt.get(addressHash(secret, reader.address_key).toString("hex"));
    // Suppression and `left_at` have the same time, unless the reader unsubscribed later.
    if (at !== undefined) (reader.left_at?.getTime() === at ? back : left).push(reader.id);
  }
  await sql`update subscribers set status = 'active', left_at = null where id = any(${back}::bigint[])`.execute(tx);
  await sql`update subscribers set status = 'unsubscribed' where id = any(${left}::bigint[])`.execute(tx);
  return lifted.length;
}
