import type { Edition } from "../../editions/store.ts";
import { editionName } from "../../base/edition-name.ts";
import { longDate } from "../../render/dates.ts";
import type { Wording } from "../../wording/catalogue.ts";

/** An edition as the pages name it. */
export interface Published {
  path: string;
  date: string;
  /** Such as `Edition 2`; null for the regular one. */
  extra: string | null;
  articles: string;
}

export function showPublished(edition: Edition, { language, say }: Wording): Published {
  return {
    path: `/editions/${editionName(edition)}`,
    date: longDate(edition.date, language),
    extra: edition.number === 1 ? null : say("edition.number", { n: edition.number }),
    articles: say("edition.articles", { n: edition.articles }),
  };
}

/** Whether a local date lies more than a year before another. */
export function isOld(date: string, today: string): boolean {
  return date < `${Number(today.slice(0, 4)) - 1}${today.slice(4)}`;
}
