import { sql } from "kysely";
import { Refusal } from "../base/errors.ts";
import { analyzeAfter } from "../db/analyze.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { lockArticles } from "./store.ts";
import { changeTag, findTag, keyOf, type FoundTag } from "./tag-find.ts";
import { refuseSpelling, type TagDeps } from "./tag-names.ts";
import { tagReach, type TagReach } from "./tag-reach.ts";

/** What merging two tags would do. `changed` is false when `from` is already an alias of `into`. */
export interface MergePlan {
  from: FoundTag;
  into: FoundTag;
  changed: boolean;
  /** Readers and articles of `from`. */
  reach: TagReach;
}

/**
 * Checks a merge without making it.
 * @throws Refusal 422 for an unknown tag and for two names of one tag, 409 when `from` is an alias of another tag
 */
export async function planMerge(db: Db | Tx, request: { from: string; into: string }): Promise<MergePlan> {
  const from = await findTag(db, request.from);
  const into = await findTag(db, request.into);
  const reach = await tagReach(db, from.id);
  if (from.id !== into.id) {
    refuseSpelling(from, request.from);
    return { from, into, reach, changed: true };
  }
  if (from.key !== keyOf(request.from)) return { from, into, reach, changed: false };
  throw new Refusal(422, "tags_already_merged", { from: request.from, into: request.into });
}

/**
 * Merges two tags: articles and readers of `from` move to `into`, and `from` becomes an alias, because feeds may still use
 * it. The result is hidden if `into` is.
 * @throws Refusal as `planMerge`
 */
export async function mergeTags(
  { db, clock }: TagDeps,
  request: { from: string; into: string; actor: string },
): Promise<MergePlan> {
  const merged = await db.transaction().execute(async (tx) => {
    await lockArticles(tx);
    const plan = await planMerge(tx, request);
    if (!plan.changed) return plan;
    const { from, into } = plan;
    const before = (await tagReach(tx, into.id)).readers;
    // Waits for concurrent additions of readers with this tag: deleting it would cascade to them.
    await tx.selectFrom("tags").select("id").where("id", "=", from.id).forUpdate().executeTakeFirstOrThrow();
    for (const table of ["article_tags", "subscriber_tags"] as const) {
      const owner = table === "article_tags" ? sql.ref("article_id") : sql.ref("subscriber_id");
      await sql`
        update ${sql.table(table)} t set tag_id = ${into.id} where tag_id = ${from.id} and not exists (
          select 1 from ${sql.table(table)} o where o.tag_id = ${into.id} and o.${owner} = t.${owner}
        )`.execute(tx);
    }
    await tx.updateTable("tag_aliases").set({ tag_id: into.id }).where("tag_id", "=", from.id).execute();
    await tx.deleteFrom("tags").where("id", "=", from.id).execute();
    await tx.insertInto("tag_aliases").values({ key: from.key, name: from.name, tag_id: into.id }).execute();
    await changeTag(tx, into.id, {});
    const after = (await tagReach(tx, into.id)).readers;
    const detail = { from: from.name, into: into.name, readers: { before, after } };
    await writeAudit(tx, {
      at: clock.now(),
      actor: request.actor,
      action: "tag merge",
      subject: from.name,
      detail,
    });
    return plan;
  });
  if (merged.changed) await analyzeAfter(db, { subscriber_tags: merged.reach.readers });
  return merged;
}
