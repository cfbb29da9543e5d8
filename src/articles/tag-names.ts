import type { Clock } from "../base/clock.ts";
import { Refusal, wrongValue } from "../base/errors.ts";
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

/** What a renaming would do: nothing, as it is called so; another spelling; a new name; or nothing, as it is another tag's. */
export interface RenamePlan {
  outcome: "same" | "spelling" | "name" | "taken";
  /** Whether the name would be another than it is. */
  changed: boolean;
  tag: FoundTag;
  reach: TagReach;
  /** As it would be shown. */
  name: string;
  /** The tag that has the name already. */
  other: FoundTag | null;
}

interface RenameRequest {
  /** The tag's name; another spelling of it only where it is called `to` already. */
  from: string;
  to: string;
  /** The tag as the operator saw it. */
  revision?: number | undefined;
}

/**
 * Looks at a renaming before it is done.
 * @throws Refusal 422 for a tag that there is not and for a name that is none, 409 when `from` is another tag's spelling, and
 * when the tag was changed meanwhile
 */
export async function planRename(db: Db | Tx, { from, to, revision }: RenameRequest): Promise<RenamePlan> {
  const name = cleanTag(to);
  if (name === null) throw wrongValue(to, "the name of a tag; expected 1 to 60 characters");
  const tag = await findTag(db, from);
  const plan = { tag, name, reach: await tagReach(db, tag.id), changed: tag.name !== name, other: null };
  if (!plan.changed) return { ...plan, outcome: "same" };
  refuseSpelling(tag, from);
  if (revision !== undefined && revision !== tag.revision) {
    throw new Refusal(409, `The tag ${JSON.stringify(tag.name)} was changed meanwhile: look at it again.`);
  }
  if (tag.key === tagKey(name)) return { ...plan, outcome: "spelling" };
  const other = await findTag(db, name, { optional: true });
  return other && other.id !== tag.id ? { ...plan, outcome: "taken", other } : { ...plan, outcome: "name" };
}

/** @throws Refusal 409 for the name of another tag */
export function refuseTaken({ tag, name, other }: RenamePlan): void {
  if (!other) return;
  const [mine, theirs] = [JSON.stringify(tag.name), JSON.stringify(other.name)];
  const taken = other.name === name ? `${theirs} is a tag already` : `${JSON.stringify(name)} means ${theirs} already`;
  throw new Refusal(409, `${taken}: merge ${mine} into it instead.`, {
    merge: { from: tag.name, into: other.name },
  });
}

/**
 * Gives a tag another name. The old one stays as an alias, so that feeds that go on using it and links to it lead there;
 * whoever follows the tag goes on following it. Done already, it changes nothing.
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

/** By another name a tag may be one that somebody merged or renamed since: then it is not what was meant. */
export function refuseSpelling(tag: FoundTag, named: string): void {
  if (tag.key === keyOf(named)) return;
  throw new Refusal(409, `${JSON.stringify(named)} is another spelling of ${JSON.stringify(tag.name)}: name that tag.`);
}
