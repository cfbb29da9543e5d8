import { clip } from "./plain.ts";
import { fill } from "../base/sentence.ts";
import type { Words } from "./words.ts";

export const subjectLimit = 120;

/** The lead's headline and how many other articles there are, in at most 120 characters; the headline gives way. */
export function subjectOf(headline: string, others: number, words: Words, sample: boolean): string {
  const before = sample ? words.sampleSubject : "";
  const after = others > 0 ? fill(words.subjectMore, { n: others }) : "";
  return before + clip(headline, subjectLimit - before.length - after.length) + after;
}
