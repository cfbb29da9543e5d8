import type { Edition } from "../../editions/store.ts";
import { editionName } from "../../editions/name.ts";
import { longDate } from "../../render/dates.ts";
import type { PageWords } from "../language/words.ts";

/** An edition as the pages name it. */
export interface Published {
  path: string;
  date: string;
  /** Such as `Edition 2`; null for the regular one. */
  extra: string | null;
  articles: string;
}

export function showPublished(edition: Edition, { language, say }: PageWords): Published {
  return {
    path: `/editions/${editionName(edition)}`,
    date: longDate(edition.date, language),
    extra: edition.number === 1 ? null : say("Edition {n}", { n: edition.number }),
    articles: say({ one: "{n} article", other: "{n} articles" }, { n: edition.articles }),
  };
}

/** Whether a local date lies more than a year before another. */
export function isOld(date: string, today: string): boolean {
  return date < `${Number(today.slice(0, 4)) - 1}${today.slice(4)}`;
}
