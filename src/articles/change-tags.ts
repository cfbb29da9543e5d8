import type { Clock } from "../base/clock.ts";
import { invalid, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { changeTag, findTag, offerRequested, type FoundTag, keyOf, tagReach, type TagReach } from "./tag-store.ts";
import { lockArticles } from "./store.ts";
import { cleanTag, tagKey } from "./tags.ts";
import { sql } from "kysely";
import { analyzeAfter } from "../db/sql.ts";

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
function refuseSpelling(tag: FoundTag, named: string): void {
  if (tag.key === keyOf(named)) return;
  throw new Refusal(409, "tag_named_by_alias", { alias: named, tag: tag.name });
}

/**
 * Adds an alias, another spelling of a tag. Adding it twice changes nothing.
 * @throws Refusal 409 when the alias is already a tag or an alias of another tag, 422 for an unknown tag and a wrong name
 */
export async function addAlias(
  { db, clock }: TagDeps,
  request: { alias: string; tag: string; actor: string },
): Promise<void> {
  const name = cleanTag(request.alias);
  if (name === null) throw invalid("tag_name_invalid", request.alias);
  await db.transaction().execute(async (tx) => {
    await lockArticles(tx);
    const tag = await findTag(tx, request.tag);
    const taken = await findTag(tx, name, { optional: true });
    if (taken?.id === tag.id) return;
    if (taken) throw new Refusal(409, "tag_in_use", { tag: name });
    await tx
      .insertInto("tag_aliases")
      .values({ key: tagKey(name), name, tag_id: tag.id })
      .execute();
    await changeTag(tx, tag.id, {});
    const detail = { alias: name, tag: tag.name };
    await writeAudit(tx, { at: clock.now(), actor: request.actor, action: "tag alias", subject: tag.name, detail });
  });
}

/** What removing an alias would do. `changed` is false when the tag does not have it. */
export interface UnaliasPlan {
  tag: FoundTag;
  /** As stored. */
  alias: string;
  changed: boolean;
}

/**
 * Checks the removal of an alias.
 * @param named the tag by its name, so that an alias which now belongs to another tag is not removed from that one
 * @throws Refusal 422 for an unknown tag, a wrong name, and the tag's own name; 409 for the alias of another tag
 */
export async function planUnalias(db: Db | Tx, alias: string, named: string): Promise<UnaliasPlan> {
  const name = cleanTag(alias);
  if (name === null) throw invalid("tag_name_invalid", alias);
  const tag = await findTag(db, named);
  refuseSpelling(tag, named);
  const key = tagKey(name);
  if (key === tag.key) {
    throw new Refusal(422, "alias_is_tag_name", { tag: tag.name });
  }
  const found = await db
    .selectFrom("tag_aliases as a")
    .innerJoin("tags as t", "t.id", "a.tag_id")
    .select(["a.name", "t.id", "t.name as owner"])
    .where("a.key", "=", key)
    .executeTakeFirst();
  if (found && found.id !== tag.id) {
    throw new Refusal(409, "alias_of_other_tag", { alias: found.name, owner: found.owner, tag: tag.name });
  }
  return { tag, alias: found?.name ?? name, changed: found !== undefined };
}

/**
 * Removes an alias from a tag. Later articles with that name get a tag of that name; earlier articles keep the tag.
 * Removing it twice changes nothing.
 * @throws Refusal as `planUnalias`
 */
export async function removeAlias(
  { db, clock }: TagDeps,
  request: { alias: string; tag: string; actor: string },
): Promise<UnaliasPlan> {
  return db.transaction().execute(async (tx) => {
    await lockArticles(tx);
    const plan = await planUnalias(tx, request.alias, request.tag);
    if (!plan.changed) return plan;
    const { tag, alias } = plan;
    await tx.deleteFrom("tag_aliases").where("key", "=", tagKey(alias)).execute();
    await changeTag(tx, tag.id, {});
    const { actor } = request;
    const detail = { alias, tag: tag.name };
    await writeAudit(tx, { at: clock.now(), actor, action: "tag unalias", subject: tag.name, detail });
    return plan;
  });
}

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
    await offerRequested(tx, [into.id]);
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
