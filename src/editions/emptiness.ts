import { usualEditions } from "./pre-send-checks.ts";

/** A regular edition that nobody got, for it had no article, or no reader follows any tag of those it had. */
export interface EmptyEdition {
  /** `2026-11-24`. */
  name: string;
  articles: number;
  /** Active readers at the freeze. */
  readers: number;
  /** Of the regular editions before it, as many as `usualEditions`: how many there are, and the least that one of them had. */
  past: { editions: number; articles: number; selected: number };
}

/** Each day of the week is among as many daily editions, so that a newsroom's first free Sunday raises at most one alert. */
const enoughPast = 7;
/** Where fewer readers used to get it, a day without a match is chance. */
const fewReaders = 5;

/**
 * The alert for an edition that no reader got, as a sentence; null when that is not unusual: too few editions came before,
 * or one of them was empty as well.
 */
export function emptyWithoutReason({ name, articles, readers, past }: EmptyEdition): string | null {
  if (past.editions < enoughPast) return null;
  const all = `each of the ${past.editions === usualEditions ? `last ${usualEditions}` : past.editions} editions before`;
  if (articles === 0) {
    if (past.articles === 0) return null;
    return `The edition of ${name} is empty: no source brought an article, and ${all} had some.`;
  }
  if (readers === 0 || past.selected < fewReaders) return null;
  const what = articles === 1 ? "1 article" : `${articles.toLocaleString("en")} articles`;
  return (
    `The edition of ${name} has ${what} and went to nobody: no reader follows any of their tags, and ${all} went to ` +
    `${past.selected.toLocaleString("en")} readers or more.`
  );
}
