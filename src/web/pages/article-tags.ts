import { tagPath } from "../tag-query.ts";

/** An article's tags, each with the address of its page. */
export function linkTags(names: readonly string[]): { name: string; path: string }[] {
  return names.map((name) => ({ name, path: tagPath(name) }));
}
