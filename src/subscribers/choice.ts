import { sortTags } from "../articles/tag-store.ts";
import { cleanTag } from "../articles/tags.ts";
import { echo, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";

const mostTags = 500;

/**
 * The ids of the tags that a reader chose, without hidden ones: a form on an article page can contain those besides others.
 * @throws Refusal 422 for an unknown tag, no tag, only hidden tags, and too many tags; `unknown` in its details lists them
 */
export async function choose(
  db: Db | Tx,
  choice: { tags: readonly string[]; allTags: boolean },
): Promise<{ tagIds: number[] }> {
  const names = choice.tags.filter((name) => name.trim() !== "");
  if (names.length > mostTags) {
    throw new Refusal(422, "too_many_tags", { most: mostTags });
  }
  const clean = names.map((name) => cleanTag(name) ?? refuse([name]));
  const { offered, hidden, unknown } = await sortTags(db, clean);
  if (unknown.length > 0) refuse(unknown);
  if (offered.size === 0 && !choice.allTags) {
    if (hidden.size > 0) refuse([...hidden.keys()], true);
    throw new Refusal(422, "no_tag_chosen");
  }
  return { tagIds: [...new Set(offered.values())] };
}

function refuse(unknown: readonly string[], hidden = false): never {
  const shown = unknown.slice(0, 5).map((name) => `"${echo(name)}"`);
  const tags = shown.join(", ");
  throw new Refusal(422, hidden ? "tag_hidden" : "tag_unknown", { tags, unknown });
}
