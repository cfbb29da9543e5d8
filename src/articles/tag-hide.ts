import { writeAudit } from "../ops/audit.ts";
import { lockArticles } from "./store.ts";
import { changeTag, findTag } from "./tag-find.ts";
import type { TagDeps } from "./tag-names.ts";
import { tagReach, type TagReach } from "./tag-reach.ts";

/**
 * Hides a tag, or shows it again. A hidden one is neither offered nor shown, and brings nobody an article; whoever follows
 * it keeps it, so that showing it again restores all. It counts from the next edition that is frozen; one that is frozen
 * stays as it is. Done already, it changes nothing.
 * @throws Refusal 422 for a tag that there is not
 */
export async function setHidden(
  { db, clock }: TagDeps,
  request: { tag: string; hidden: boolean; actor: string },
): Promise<TagReach & { tag: string; changed: boolean }> {
  const { hidden, actor } = request;
  return db.transaction().execute(async (tx) => {
    // An edition that is being frozen has it on all of its articles, or on none.
    await lockArticles(tx);
    const tag = await findTag(tx, request.tag);
    const reach = await tagReach(tx, tag.id);
    const changed = (tag.hidden_at !== null) !== hidden;
    if (changed) {
      const at = clock.now();
      await changeTag(tx, tag.id, { hidden_at: hidden ? at : null });
      const [before, after] = hidden ? ["shown", "hidden"] : ["hidden", "shown"];
      const detail = { before, after, readers: reach.readers };
      await writeAudit(tx, { at, actor, action: hidden ? "tag hide" : "tag unhide", subject: tag.name, detail });
    }
    return { tag: tag.name, changed, ...reach };
  });
}
