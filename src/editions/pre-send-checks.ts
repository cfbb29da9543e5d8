import { htmlLimit } from "../render/fit.ts";

export interface EditionSize {
  articles: number;
  /** Readers who get it. */
  selected: number;
}

export interface PreSendFacts extends EditionSize {
  /** Active readers at the freeze. */
  readers: number;
  /** Regular editions that were sent before, newest first. */
  past: readonly EditionSize[];
  /** The largest that a mail with one article can be, in kB of 1000 bytes. */
  smallestMailKb: number;
  /** Sources that used to bring something on most days, and have fallen silent since the last edition. */
  silent: readonly { name: string; days: number }[];
  /** Articles whose page is certainly not there, and what its server said, such as `answers 404`. */
  broken: readonly { title: string; said: string | null }[];
}

/** Editions of the past that are looked at: four weeks of weekdays, so that quiet and busy days are both among them. */
export const usualEditions = 20;
/** Fewer than a week's editions say nothing of what is usual. */
const enoughPast = 5;
/** Three times the largest of a month is a feed that shows its archive, not a busy day. */
const farLarger = 3;
/** A quarter of the smallest of a month is a feed that lost its articles or its tags, not a quiet day. */
const farSmaller = 4;
/** Below these numbers, a multiple is chance. */
const fewArticles = 20;
const fewReaders = 20;
/** Broken links that are told one by one. */
const mostTold = 3;

/**
 * What is so far from usual about an edition that a person should look before it goes out, a sentence each; empty when
 * nothing is. Every limit is meant to be quiet on ordinary days: an edition held for nothing is a late edition.
 */
export function preSendFindings(facts: PreSendFacts): string[] {
  const found: string[] = [];
  if (facts.smallestMailKb > htmlLimit) {
    found.push(
      `A mail of it has at least ${Math.ceil(facts.smallestMailKb)} kB of HTML, over the ${htmlLimit} kB that all ` +
        "mailboxes show: shorten the introduction or the template.",
    );
  }
  for (const { title, said } of facts.broken.slice(0, mostTold)) {
    found.push(`“${title}” ${said ?? "leads nowhere"}: leave it out, or mend the page that it leads to.`);
  }
  const more = facts.broken.length - mostTold;
  if (more > 0) found.push(`${count(more, "more article")} ${more === 1 ? "leads" : "lead"} to no page either.`);
  if (facts.past.length < enoughPast) return found;
  const articles = facts.past.map((one) => one.articles);
  const selected = facts.past.map((one) => one.selected);
  const most = Math.max(...articles);
  const fewest = Math.min(...articles);
  const leastReaders = Math.min(...selected);
  if (facts.articles > Math.max(farLarger * most, fewArticles)) {
    found.push(`It has ${facts.articles} articles, and no edition of late had more than ${most}.`);
  } else if (fewest >= fewArticles && facts.articles * farSmaller < fewest) {
    found.push(`It has ${count(facts.articles, "article")}, and no edition of late had fewer than ${fewest}.`);
  }
  if (leastReaders >= fewReaders && facts.selected * farSmaller < leastReaders) {
    found.push(
      `Only ${facts.selected} of ${facts.readers} readers would get it, and no edition of late went to fewer than ` +
        `${leastReaders}: look at the tags of its articles.`,
    );
  }
  for (const { name, days } of facts.silent) {
    found.push(`${name} has brought nothing for ${days} days.`);
  }
  return found;
}

function count(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? "" : "s"}`;
}
