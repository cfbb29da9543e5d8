import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { lockArticles } from "./store.ts";
import { changeTag, findTag, type FoundTag } from "./tag-find.ts";
import type { TagDeps } from "./tag-names.ts";
import { tagReach, type TagReach } from "./tag-reach.ts";

/** What hiding or showing a tag would do. `changed` is false when it already is hidden or shown. */
export interface HidePlan {
  tag: FoundTag;
  changed: boolean;
  reach: TagReach;
}

/**
 * Checks the change without making it.
 * @throws Refusal 422 for an unknown tag
 */
export async function planHidden(db: Db | Tx, request: { tag: string; hidden: boolean }): Promise<HidePlan> {
  const tag = await findTag(db, request.tag);
  return { tag, changed: (tag.hidden_at !== null) !== request.hidden, reach: await tagReach(db, tag.id) };
}

/**
 * Hides a tag, or shows it again. A hidden tag is not offered or shown, and selects no articles. Its followers keep it, so
 * showing it restores everything. The change applies to editions frozen later. Repeating it changes nothing.
 * @throws Refusal as `planHidden`
 */
export async function setHidden(
  { db, clock }: TagDeps,
  request: { tag: string; hidden: boolean; actor: string },
): Promise<HidePlan> {
  const { hidden, actor } = request;
  return db.transaction().execute(async (tx) => {
    // So that an edition that is being frozen shows the tag on all of its articles or on none.
    await lockArticles(tx);
    const plan = await planHidden(tx, request);
    const { tag, reach } = plan;
    if (plan.changed) {
      const at = clock.now();
      await changeTag(tx, tag.id, { hidden_at: hidden ? at : null });
      const [before, after] = hidden ? ["shown", "hidden"] : ["hidden", "shown"];
      const detail = { before, after, readers: reach.readers };
      await writeAudit(tx, { at, actor, action: hidden ? "tag hide" : "tag unhide", subject: tag.name, detail });
    }
    return plan;
  });
}
