import { existingTags } from "../articles/tag-store.ts";
import { cleanTag } from "../articles/tags.ts";
import { Refusal } from "../base/errors.ts";
import type { Db, Tx } from "../db/schema.ts";

const mostTags = 500;

/**
 * A reader's choice of tags, by id.
 * @throws Refusal 422 for a tag that there is not, for nothing at all, and for more than anybody could mean
 */
export async function choose(
  db: Db | Tx,
  choice: { tags: readonly string[]; allTags: boolean },
): Promise<{ tagIds: number[] }> {
  const names = choice.tags.filter((name) => name.trim() !== "");
  if (names.length > mostTags) {
    throw new Refusal(422, `These are more than ${mostTags} tags: choose fewer, or all news.`);
  }
  const clean = names.map((name) => cleanTag(name) ?? refuse([name]));
  const tagIds = await existingTags(db, clean).catch((error: unknown) => {
    if (error instanceof Refusal && Array.isArray(error.details["unknown"])) refuse(error.details["unknown"]);
    throw error;
  });
  if (tagIds.length === 0 && !choice.allTags) {
    throw new Refusal(422, "Nothing is chosen: choose at least one tag, or all news.");
  }
  return { tagIds };
}

function refuse(unknown: readonly string[]): never {
  const shown = unknown.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 60)));
  throw new Refusal(422, `No article has the tag ${shown.join(", ")} here: choose from the list of tags.`, { unknown });
}
