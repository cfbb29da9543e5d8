import type { TagCount } from "../../articles/tag-store.ts";
import type { Catalogue } from "../catalogue.ts";

/** A tag with its box. */
export interface Offer {
  name: string;
  /** Articles of the last 30 days. */
  count: number;
  chosen: boolean;
}

/** What a page offers, each tag once: those from elsewhere first, then what a search found, then the most used. */
export interface Offers {
  /** Those that are ticked, or that a link brought along. */
  first: Offer[];
  found: Offer[];
  popular: Offer[];
  /** The search as it was made; "" without one. */
  query: string;
  /** Whether there are more tags than those shown, so that a search is of use. */
  searchable: boolean;
  total: string;
}

const mostPopular = 24;
const mostFound = 48;

export function makeOffers(
  catalogue: Catalogue,
  asked: { first: readonly string[]; chosen: readonly string[]; query: string },
  language: string,
): Offers {
  const shown = new Set<TagCount>();
  const chosen = tagsOf(catalogue, asked.chosen);
  const take = (tags: Iterable<TagCount>): Offer[] => {
    const fresh = [...tags].filter((tag) => !shown.has(tag));
    for (const tag of fresh) shown.add(tag);
    return fresh.map((tag) => ({ name: tag.name, count: tag.articles, chosen: chosen.has(tag) }));
  };
  const query = asked.query.trim();
  const first = take(new Set([...tagsOf(catalogue, asked.first), ...chosen]));
  const found = query === "" ? [] : take(catalogue.find(query, mostFound));
  const popular = take(catalogue.popular(mostPopular));
  const searchable = catalogue.size > catalogue.popular(mostPopular).length;
  return { first, found, popular, query, searchable, total: catalogue.size.toLocaleString(language) };
}

function tagsOf(catalogue: Catalogue, names: readonly string[]): Set<TagCount> {
  return new Set(names.map((name) => catalogue.get(name)).filter((tag) => tag !== undefined));
}
