import { cleanTag, tagKey } from "../../articles/tags.ts";
import type { Catalogue } from "../tag-cache.ts";

/** A tag with its box. */
interface Offer {
  name: string;
  /** Articles of the last 30 days. */
  count: number;
  chosen: boolean;
}

/** What a page offers, each tag once: those from elsewhere first, then what a search found, then the most used. */
interface Offers {
  /** Those that are ticked, or that a link brought along; also tags that no article has had yet. */
  first: Offer[];
  found: Offer[];
  popular: Offer[];
  /** The search as it was made; "" without one. */
  query: string;
  /** Whether the search found tags that articles have had. */
  any: boolean;
  /** The name that was searched for, if no article has had it; the last of `found` then. */
  fresh: string | null;
  total: string;
}

const mostPopular = 24;
export const mostFound = 48;

export function makeOffers(
  catalogue: Catalogue,
  asked: { first: readonly string[]; chosen: readonly string[]; query: string },
  language: string,
): Offers {
  const shown = new Set<string>();
  const chosen = new Set(tagsOf(catalogue, asked.chosen).keys());
  const take = (tags: ReadonlyMap<string, Tag>): Offer[] => {
    const fresh = [...tags].filter(([key]) => !shown.has(key));
    for (const [key] of fresh) shown.add(key);
    return fresh.map(([key, { name, articles }]) => ({ name, count: articles, chosen: chosen.has(key) }));
  };
  const query = asked.query.trim();
  const found = catalogue.find(query, mostFound);
  const fresh = freshTag(catalogue, query);
  return {
    first: take(tagsOf(catalogue, [...asked.first, ...asked.chosen])),
    found: take(tagsOf(catalogue, [...found.map(({ name }) => name), ...(fresh === null ? [] : [fresh])])),
    popular: take(
      tagsOf(
        catalogue,
        catalogue.popular(mostPopular).map(({ name }) => name),
      ),
    ),
    query,
    any: found.length > 0,
    fresh,
    total: catalogue.size.toLocaleString(language),
  };
}

/** A typed name as a tag that no article has had yet; null for any other. */
export function freshTag(catalogue: Catalogue, typed: string): string | null {
  const name = cleanTag(typed);
  if (name === null || catalogue.get(name) || catalogue.hidden.has(tagKey(name))) return null;
  return name;
}

interface Tag {
  name: string;
  articles: number;
}

/** By key, without hidden ones. */
function tagsOf(catalogue: Catalogue, names: readonly string[]): Map<string, Tag> {
  const tags = new Map<string, Tag>();
  for (const typed of names) {
    const fresh = freshTag(catalogue, typed);
    const tag = catalogue.get(typed) ?? (fresh === null ? null : { name: fresh, articles: 0 });
    const key = tag && tagKey(tag.name);
    if (tag && key !== null && !tags.has(key)) tags.set(key, tag);
  }
  return tags;
}
