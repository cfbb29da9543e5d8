import { Refusal, wrongValue } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { lockArticles } from "./store.ts";
import { changeTag, findTag, type FoundTag } from "./tag-find.ts";
import { refuseSpelling, type TagDeps } from "./tag-names.ts";
import { cleanTag, tagKey } from "./tags.ts";

/**
 * Another spelling of a tag.
 * @throws Refusal 409 when the spelling is a tag or an alias of its own, 422 for a tag that there is not and for no name
 */
export async function addAlias(
  { db, clock }: TagDeps,
  request: { alias: string; tag: string; actor: string },
): Promise<void> {
  const name = cleanTag(request.alias);
  if (name === null) throw wrongValue(request.alias, "a tag; expected 1 to 60 characters");
  await db.transaction().execute(async (tx) => {
    await lockArticles(tx);
    const tag = await findTag(tx, request.tag);
    const taken = await findTag(tx, name, { optional: true });
    if (taken?.id === tag.id) return;
    if (taken) throw new Refusal(409, `${JSON.stringify(name)} is in use already: merge the two tags instead.`);
    await tx
      .insertInto("tag_aliases")
      .values({ key: tagKey(name), name, tag_id: tag.id })
      .execute();
    await changeTag(tx, tag.id, {});
    const detail = { alias: name, tag: tag.name };
    await writeAudit(tx, { at: clock.now(), actor: request.actor, action: "tag alias", subject: tag.name, detail });
  });
}

/** What taking a spelling from a tag would do: nothing, where it is none of its spellings. */
export interface UnaliasPlan {
  tag: FoundTag;
  /** As it is listed. */
  alias: string;
  changed: boolean;
}

/**
 * Looks at a spelling before it is taken from a tag.
 * @param named the tag by its name, so that a spelling which somebody has moved to another tag is not taken from that one
 * @throws Refusal 422 for a tag that there is not, for no name, and for the tag's own name; 409 for the spelling of another
 */
export async function planUnalias(db: Db | Tx, alias: string, named: string): Promise<UnaliasPlan> {
  const name = cleanTag(alias);
  if (name === null) throw wrongValue(alias, "a tag; expected 1 to 60 characters");
  const tag = await findTag(db, named);
  refuseSpelling(tag, named);
  const key = tagKey(name);
  if (key === tag.key) {
    const own = JSON.stringify(tag.name);
    throw new Refusal(422, `${own} is the name of the tag, not another spelling of it: rename the tag, or hide it.`);
  }
  const found = await db
    .selectFrom("tag_aliases as a")
    .innerJoin("tags as t", "t.id", "a.tag_id")
    .select(["a.name", "t.id", "t.name as means"])
    .where("a.key", "=", key)
    .executeTakeFirst();
  if (found && found.id !== tag.id) {
    const [spelling, means, not] = [found.name, found.means, tag.name].map((text) => JSON.stringify(text));
    throw new Refusal(409, `${spelling} is another spelling of ${means}, not of ${not}: name that tag.`);
  }
  return { tag, alias: found?.name ?? name, changed: found !== undefined };
}

/**
 * Takes a spelling from a tag: an article that comes with it from then on has a tag of that name. What it brought stays
 * where it is. Done already, it changes nothing.
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
