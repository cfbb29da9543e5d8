import type { Refusal } from "../../base/errors.ts";
import { fill, sentence, type Pattern, type Sentence, type Values } from "../../base/sentence.ts";
import { find, readTranslations } from "./translations.ts";
import type { Translate } from "./marks.ts";

/** What readers' pages say, in the publication's language where templates/languages has it, in English otherwise. */
export interface PageWords {
  /** That language, for `lang` attributes, dates and numbers: a BCP 47 tag. */
  language: string;
  /** A text of the program. `pattern` is a literal, so that a test finds all that must be translated. */
  say(pattern: Pattern, values?: Values): string;
  tell(sentence: Sentence): string;
  /** Why something was refused; in English where no reader was meant. */
  reason(refusal: Refusal): string;
  /** For the marked texts of templates and scripts. */
  translate: Translate;
  /** The form of a text that goes with a number: a CLDR category, such as `one`. */
  plural(n: number): string;
}

/** @param language of the publication, a BCP 47 tag */
export function openWords(language: string): PageWords {
  const translations = readTranslations(language);
  const spoken = translations === null ? inEnglishOf(language) : language;
  const rules = new Intl.PluralRules(spoken);
  const translate: Translate = (pattern) => find(translations, pattern);
  const tell = ({ pattern, values }: Sentence): string => {
    const said = translate(pattern);
    const form = typeof said === "string" ? said : (said[rules.select(Number(values["n"]))] ?? said["other"]!);
    return fill(form, written(values, spoken));
  };
  return {
    language: spoken,
    say: (pattern, values) => tell(sentence(pattern, values)),
    tell,
    reason: (refusal) => (refusal.sentence ? tell(refusal.sentence) : refusal.message),
    translate,
    plural: (n) => rules.select(n),
  };
}

/** The publication's kind of English, which is what operators' pages and untranslated ones are in. */
export function inEnglishOf(language: string): string {
  return /^en\b/i.test(language) ? language : "en";
}

function written(values: Values, language: string): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === "number" ? value.toLocaleString(language) : value,
    ]),
  );
}
