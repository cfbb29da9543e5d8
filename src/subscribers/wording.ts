import { sentence, type Sentence } from "../base/sentence.ts";

/**
 * The sentence a reader agrees to, as the form shows it and the consent record keeps it (GDPR Art. 7(1)). Raise the
 * version with every change, so that a record tells which sentence it was; the record keeps it in the language it was shown in.
 */
export const wording = {
  version: "2026-11",
  said: (publication: string): Sentence =>
    sentence(
      "I want {publication}'s daily e-mail with the articles I follow. I can stop at any time, from any of the mails.",
      { publication },
    ),
};
