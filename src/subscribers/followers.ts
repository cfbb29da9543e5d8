import type { Db } from "../db/schema.ts";

/** How many active readers follow each tag, by the tag's id; tags without any are left out. */
export async function countFollowers(db: Db): Promise<Map<number, number>> {
  const rows = await db
    .selectFrom("subscriber_tags as st")
    .innerJoin("subscribers as s", "s.id", "st.subscriber_id")
    .select(["st.tag_id", (eb) => eb.fn.countAll<number>().as("count")])
    .where("s.status", "=", "active")
    .groupBy("st.tag_id")
    .execute();
  return new Map(rows.map((row) => [row.tag_id, row.count]));
}
