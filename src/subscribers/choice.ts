import { sortTags } from "../articles/tag-store.ts";
import { cleanTag } from "../articles/tags.ts";
import { echo, Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";

const mostTags = 500;

/**
 * A reader's choice of tags, by id. Hidden tags are left out of it: they come from forms on article pages, whose other tags
 * must still do.
 * @throws Refusal 422 for a tag that there is not, for nothing at all, for hidden ones alone, and for more than anybody
 * could mean; `unknown` in its details names the tags
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
