import { sql, type Selectable } from "kysely";
import type { Db, Schema, Tx } from "../db/schema.ts";
import { noSuchTag } from "./tag-store.ts";
import { cleanTag, tagKey } from "./tags.ts";

export type FoundTag = Selectable<Schema["tags"]>;

/**
 * A tag by its name in any case, or by an alias; hidden tags included.
 * @throws Refusal 422 when there is none, unless `optional`
 */
export async function findTag(db: Db | Tx, name: string): Promise<FoundTag>;
export async function findTag(db: Db | Tx, name: string, options: { optional: true }): Promise<FoundTag | null>;
export async function findTag(db: Db | Tx, name: string, options?: { optional: true }): Promise<FoundTag | null> {
  const key = keyOf(name);
  const { rows } = await sql<FoundTag>`
    select * from tags where key = ${key} or id = (select tag_id from tag_aliases where key = ${key})`.execute(db);
  const [tag] = rows;
  if (!tag && !options?.optional) throw noSuchTag([name]);
  return tag ?? null;
}

/** The key of a tag from its name as typed. */
export function keyOf(typed: string): string {
  return tagKey(cleanTag(typed) ?? typed);
}

/** Changes a tag and its revision, so that caches of the tag list are refreshed. */
export async function changeTag(
  tx: Tx,
  id: number,
  values: Partial<Pick<FoundTag, "key" | "name" | "hidden_at">>,
): Promise<void> {
  await tx
    .updateTable("tags")
    .set({ ...values, revision: sql<number>`nextval('tag_revisions')` })
    .where("id", "=", id)
    .execute();
}
