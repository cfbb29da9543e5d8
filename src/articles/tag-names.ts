import type { Clock } from "../base/clock.ts";
import { invalid, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { changeTag, findTag, keyOf, type FoundTag } from "./tag-find.ts";
import { lockArticles } from "./store.ts";
import { tagReach, type TagReach } from "./tag-reach.ts";
import { cleanTag, tagKey } from "./tags.ts";

export interface TagDeps {
  db: Db;
  clock: Clock;
}

/** What renaming a tag would do: `spelling` changes only its case, and a `taken` name belongs to another tag. */
export interface RenamePlan {
  outcome: "same" | "spelling" | "name" | "taken";
  /** Whether the new name differs from the present one. */
  changed: boolean;
  tag: FoundTag;
  reach: TagReach;
  /** The new name, cleaned. */
  name: string;
  /** The tag that already has the name. */
  other: FoundTag | null;
}

interface RenameRequest {
  /** The tag's name. An alias is accepted only when the tag is already named `to`. */
  from: string;
  to: string;
  /** The revision that the operator saw. */
  revision?: number | undefined;
}

/**
 * Checks a renaming without making it.
 * @throws Refusal 422 for an unknown tag and a wrong name, 409 when `from` is an alias of another tag or the tag has changed
 */
export async function planRename(db: Db | Tx, { from, to, revision }: RenameRequest): Promise<RenamePlan> {
  const name = cleanTag(to);
  if (name === null) throw invalid("tag_name_invalid", to);
  const tag = await findTag(db, from);
  const plan = { tag, name, reach: await tagReach(db, tag.id), changed: tag.name !== name, other: null };
  if (!plan.changed) return { ...plan, outcome: "same" };
  refuseSpelling(tag, from);
  if (revision !== undefined && revision !== tag.revision) {
    throw new Refusal(409, "tag_changed", { tag: tag.name });
  }
  if (tag.key === tagKey(name)) return { ...plan, outcome: "spelling" };
  const other = await findTag(db, name, { optional: true });
  return other && other.id !== tag.id ? { ...plan, outcome: "taken", other } : { ...plan, outcome: "name" };
}

/** @throws Refusal 409 for the name of another tag */
export function refuseTaken({ tag, name, other }: RenamePlan): void {
  if (!other) return;
  const merge = { from: tag.name, into: other.name };
  const details = { name, tag: tag.name, other: other.name, merge };
  throw new Refusal(409, other.name === name ? "tag_exists" : "tag_alias_exists", details);
}

/**
 * Renames a tag. The old name becomes an alias, because feeds and links may still use it. Followers keep the tag.
 * Repeating it changes nothing.
 * @throws Refusal as `planRename`; 409 for the name of another tag
 */
export async function renameTag(
  { db, clock }: TagDeps,
  request: RenameRequest & { actor: string },
): Promise<RenamePlan> {
  return db.transaction().execute(async (tx) => {
    await lockArticles(tx);
    const plan = await planRename(tx, request);
    const { outcome, tag, name } = plan;
    if (outcome === "same") return plan;
    refuseTaken(plan);
    if (outcome === "name") {
      await tx.deleteFrom("tag_aliases").where("key", "=", tagKey(name)).execute();
      await tx.insertInto("tag_aliases").values({ key: tag.key, name: tag.name, tag_id: tag.id }).execute();
    }
    await changeTag(tx, tag.id, { key: tagKey(name), name });
    const detail = { before: tag.name, after: name };
    await writeAudit(tx, { at: clock.now(), actor: request.actor, action: "tag rename", subject: tag.name, detail });
    return plan;
  });
}

/** An alias may belong to a tag that was merged or renamed since, which may not be the tag that was meant. */
export function refuseSpelling(tag: FoundTag, named: string): void {
  if (tag.key === keyOf(named)) return;
  throw new Refusal(409, "tag_named_by_alias", { alias: named, tag: tag.name });
}
