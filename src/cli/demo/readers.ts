import { expectedArticles } from "./stories.ts";

export interface DemoReader {
  address: string;
  /** Tags they follow; empty for all news. */
  tags: string[];
  confirmed: boolean;
}

export const readers: readonly DemoReader[] = [
  { address: "min-ji@readers.example", tags: ["lg u+"], confirmed: true },
  { address: "desk@readers.example", tags: ["huawei", "Korea"], confirmed: true },
  { address: "radio@readers.example", tags: ["LTE", "spectrum"], confirmed: true },
  { address: "developer@readers.example", tags: ["C++"], confirmed: true },
  { address: "archive@readers.example", tags: [], confirmed: true },
  { address: "skipper@readers.example", tags: ["satellite"], confirmed: true },
  { address: "undecided@readers.example", tags: ["LTE"], confirmed: false },
];

/** The headlines that a reader should get today, computed without the code under test. */
export function expectedTitles({ tags, confirmed }: DemoReader): string[] {
  if (!confirmed) return [];
  const wanted = new Set(tags.map((tag) => tag.toLowerCase()));
  const matches = (article: { tags: string[] }): boolean =>
    wanted.size === 0 || article.tags.some((tag) => wanted.has(tag.toLowerCase()));
  return expectedArticles()
    .filter(matches)
    .map((article) => article.title);
}
