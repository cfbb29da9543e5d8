import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../../src/base/root.ts";
import { languagesFolder, readTranslations } from "../../../src/web/language/translations.ts";
import { markedCalls, markedTexts } from "../../support/marked-texts.ts";
import { unmarkedInCode, unmarkedInTemplates } from "../../support/unmarked-texts.ts";

const texts = markedTexts();
const languages = readdirSync(join(packageRoot, languagesFolder)).map((file) => file.replace(/\.json$/, ""));

describe.each(languages)("the pages in %s", (language) => {
  const translations = readTranslations(language)!;
  const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();

  test("every text is translated, and nothing else is", () => {
    expect([...texts.keys()].filter((key) => !Object.hasOwn(translations, key))).toEqual([]);
    expect(Object.keys(translations).filter((key) => !texts.has(key))).toEqual([]);
  });

  test("a text with a number has every form that the language has", () => {
    for (const [key, pattern] of texts) {
      const said = translations[key];
      const forms = typeof said === "object" ? Object.keys(said).toSorted() : null;
      expect(forms, key).toEqual(typeof pattern === "string" ? null : categories);
    }
  });

  test("what is filled in, links and other markup are the same", () => {
    for (const key of texts.keys()) {
      const said = translations[key]!;
      for (const text of typeof said === "string" ? [said] : Object.values(said)) {
        const missing = piecesOf(key).filter((piece) => !piecesOf(text).includes(piece) && piece !== "{n}");
        expect([missing, piecesOf(text).filter((piece) => !piecesOf(key).includes(piece))], text).toEqual([[], []]);
      }
    }
  });
});

test("what is said on a page is a literal, so that nothing escapes these tests", () => {
  expect(markedCalls().filter(({ pattern }) => pattern === null)).toEqual([]);
});

test("whatever a reader sees is marked", () => {
  expect(unmarkedInTemplates()).toEqual([]);
  expect(unmarkedInCode()).toEqual([
    "src/web/pages/zones.ts: Etc",
    ...forPrograms.map((text) => `src/web/${text}`),
    "src/subscribers/change-address.ts: address change",
  ]);
});

/** In answers of the API, and in its description. */
const forPrograms = [
  "failures.ts: There is nothing at this address: all addresses are in /api/v1/openapi.json.",
  "limits.ts: HTTP/1.1 408 Request Timeout\r\nconnection: close",
  "problem.ts: Problem",
  "problem.ts: RFC 9457 problem document",
  "problem.ts: A body of type",
  "problem.ts: is not read here: see /api/v1/openapi.json.",
  "problem.ts: Error",
];

/** `{{ values }}`, `{values}`, and tags of HTML. */
function piecesOf(text: string): string[] {
  return text.match(/\{\{.*?\}\}|\{\w+\}|<[^>]+>/g) ?? [];
}
