import { invalid, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { lockArticles } from "./store.ts";
import { changeTag, findTag, type FoundTag } from "./tag-find.ts";
import { refuseSpelling, type TagDeps } from "./tag-names.ts";
import { cleanTag, tagKey } from "./tags.ts";

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
