import { sortTags } from "../articles/tag-store.ts";
import { cleanTag } from "../articles/tags.ts";
import { echo, Refusal } from "../base/errors.ts";
import { sentence } from "../base/sentence.ts";
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
    throw new Refusal(422, sentence("These are more than {most} tags: choose fewer, or all news.", { most: mostTags }));
  }
  const clean = names.map((name) => cleanTag(name) ?? refuse([name]));
  const { offered, hidden, unknown } = await sortTags(db, clean);
  if (unknown.length > 0) refuse(unknown);
  if (offered.size === 0 && !choice.allTags) {
    if (hidden.size > 0) refuse([...hidden.keys()], true);
    throw new Refusal(422, sentence("Nothing is chosen: choose at least one tag, or all news."));
  }
  return { tagIds: [...new Set(offered.values())] };
}

function refuse(unknown: readonly string[], hidden = false): never {
  const shown = unknown.slice(0, 5).map((name) => `"${echo(name)}"`);
  const tags = shown.join(", ");
  const said = hidden
    ? sentence("The tag {tags} is not offered here: choose from the list of tags.", { tags })
    : sentence("No article has the tag {tags} here: choose from the list of tags.", { tags });
  throw new Refusal(422, said, { unknown });
}
