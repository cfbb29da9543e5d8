import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pattern } from "../../base/sentence.ts";
import { packageRoot } from "../../base/root.ts";

/** A text, or where a number decides, its forms by CLDR category: `{ "one": "…", "other": "…" }`. */
export type Said = string | Readonly<Record<string, string>>;

/** What English texts are in a language: templates/languages/de.json. A pattern with two forms stands under its `other`. */
export type Translations = Readonly<Record<string, Said>>;

export const languagesFolder = "templates/languages";

/** Those for a BCP 47 tag, by its primary language; null where there are none. */
export function readTranslations(language: string): Translations | null {
  const primary = language.split("-")[0]!.toLowerCase();
  const file = join(packageRoot, languagesFolder, `${primary}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Translations) : null;
}

/** What an English text is in that language; itself where there is no translation. */
export function find(translations: Translations | null, pattern: Pattern): Said {
  const key = typeof pattern === "string" ? pattern : pattern.other;
  return translations && Object.hasOwn(translations, key) ? translations[key]! : pattern;
}
