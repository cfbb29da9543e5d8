import { htmlLimit } from "../render/fit.ts";
import type { LinkResult } from "./links.ts";
import type { Finding } from "../db/edition-reason.ts";

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
  /** The largest that an email with one article can be, in kB of 1000 bytes. */
  smallestMailKb: number;
  /** Sources that used to bring something on most days, and have fallen silent since the last edition. */
  silent: readonly { name: string; days: number }[];
  /** Articles whose page is certainly not there, and why. */
  broken: readonly { title: string; result: LinkResult | null }[];
}

/** Past editions to compare with: four weeks of weekdays, so that quiet and busy days are among them. */
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
/** Broken links that are named one by one. */
const mostNamed = 3;

/**
 * What is so unusual about an edition that a person should check it before it is sent. The limits stay quiet on ordinary
 * days, because an edition that is held for nothing is a late edition.
 */
export function preSendFindings(facts: PreSendFacts): Finding[] {
  const { broken, past, readers } = facts;
  const found: Finding[] = [];
  if (facts.smallestMailKb > htmlLimit) {
    found.push({ code: "email_too_large", data: { kb: Math.ceil(facts.smallestMailKb), limit: htmlLimit } });
  }
  for (const { title, result } of broken.slice(0, mostNamed)) {
    found.push({ code: "link_broken", data: { title, result } });
  }
  const more = broken.length - mostNamed;
  if (more > 0) found.push({ code: "more_links_broken", data: { count: more } });
  if (past.length < enoughPast) return found;
  const { articles, selected } = facts;
  const most = Math.max(...past.map((one) => one.articles));
  const fewest = Math.min(...past.map((one) => one.articles));
  const fewestReaders = Math.min(...past.map((one) => one.selected));
  if (articles > Math.max(farLarger * most, fewArticles)) {
    found.push({ code: "more_articles_than_usual", data: { articles, most } });
  } else if (fewest >= fewArticles && articles * farSmaller < fewest) {
    found.push({ code: "fewer_articles_than_usual", data: { articles, fewest } });
  }
  if (fewestReaders >= fewReaders && selected * farSmaller < fewestReaders) {
    found.push({ code: "fewer_readers_than_usual", data: { selected, readers, fewest: fewestReaders } });
  }
  for (const { name, days } of facts.silent) found.push({ code: "source_silent", data: { source: name, days } });
  return found;
}
