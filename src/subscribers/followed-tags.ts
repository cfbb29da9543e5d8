import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";

/** Adds tags to readers. @returns how many were new */
export async function addSubscriberTags(
  tx: Tx,
  rows: readonly { id: number; tagIds: readonly number[] }[],
): Promise<number> {
  const pairs = rows.flatMap(({ id, tagIds }) => tagIds.map((tagId) => ({ id, tagId })));
  if (pairs.length === 0) return 0;
  const { numAffectedRows } = await sql`
    insert into subscriber_tags (subscriber_id, tag_id)
    select given.* from unnest(
      ${pairs.map((pair) => pair.id)}::bigint[], ${pairs.map((pair) => pair.tagId)}::int[]
    ) as given(subscriber_id, tag_id)
    -- A tag may have been merged since it was chosen.
    where exists (select 1 from tags where tags.id = given.tag_id)
    on conflict do nothing`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/**
 * Replaces the reader's tags but keeps hidden ones that they follow, because the list they chose from does not offer
 * those.
 */
export async function setTags(
  db: Db,
  id: number,
  { allTags, tagIds }: { allTags: boolean; tagIds: readonly number[] },
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: number }>`
      select t.id from subscriber_tags st join tags t on t.id = st.tag_id
      where st.subscriber_id = ${id} and t.hidden_at is not null`.execute(tx);
    await replaceTags(tx, id, { allTags, tagIds: [...tagIds, ...rows.map((row) => row.id)] });
  });
}

/** Replaces the reader's tags. */
export async function replaceTags(
  tx: Tx,
  id: number,
  choice: { allTags: boolean; tagIds: readonly number[] },
): Promise<void> {
  await tx.updateTable("subscribers").set({ all_tags: choice.allTags }).where("id", "=", id).execute();
  await tx.deleteFrom("subscriber_tags").where("subscriber_id", "=", id).execute();
  await addSubscriberTags(tx, [{ id, tagIds: choice.tagIds }]);
}
