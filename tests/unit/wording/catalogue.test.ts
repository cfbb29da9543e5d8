import { parse, TYPE, type MessageFormatElement } from "@formatjs/icu-messageformat-parser";
import { describe, expect, test } from "vitest";
import { Refusal } from "../../../src/base/errors.ts";
import { languages, messagesOf, openWording } from "../../../src/wording/catalogue.ts";
import { productSource } from "../../support/reader-sources.ts";
import { unmarkedInCode, unmarkedInTemplates } from "../../support/unmarked-texts.ts";

const english = messagesOf("en");

describe.each(languages())("the catalogue of %s", (language) => {
  const messages = messagesOf(language);

  test("has a text for every key, and no other", () => {
    expect(Object.keys(english).filter((key) => !Object.hasOwn(messages, key))).toEqual([]);
    expect(Object.keys(messages).filter((key) => !Object.hasOwn(english, key))).toEqual([]);
  });

  test("has well-formed messages, sorted by key", () => {
    for (const [key, text] of Object.entries(messages)) {
      expect(() => parse(text, { ignoreTag: true }), key).not.toThrow();
      expect(text, key).toBe(text.trim());
    }
    expect(Object.keys(messages)).toEqual(Object.keys(messages).toSorted());
  });

  test("names the same values and markup as the English text", () => {
    for (const [key, text] of Object.entries(messages)) {
      expect(valuesOf(text), key).toEqual(valuesOf(english[key]!));
      expect(tagsOf(text), key).toEqual(tagsOf(english[key]!));
    }
  });

  test("has every plural form that the language has", () => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    for (const [key, text] of Object.entries(messages)) {
      for (const forms of pluralsOf(parse(text, { ignoreTag: true }))) expect(forms, key).toEqual(categories);
    }
  });
});

test("every text is used somewhere", () => {
  const source = productSource();
  const unused = Object.keys(english).filter((key) => {
    const code = key.replace(/^(error|reason|finding)\./, "");
    // Some keys are made from a kind, such as `notice.${kind}.lead`.
    const pattern = key.replace(/^(notice)\.\w+\.(\w+)$/, "$1.${kind}.$2");
    return ![`"${key}"`, `{% t ${key} `, `"${code}"`, `\`${pattern}\``].some((use) => source.includes(use));
  });
  expect(unused).toEqual([]);
});

test("a language without a file is said in English, and says so", () => {
  const wording = openWording("fr-CA");
  expect(wording.language).toBe("en");
  expect(wording.say("subscribe.title")).toBe(openWording("en").say("subscribe.title"));
  expect(openWording("en-GB").language).toBe("en-GB");
  expect(openWording("ko-KR").language).toBe("ko-KR");
});

test("a value is filled in as it is, whatever it contains", () => {
  const said = openWording("en").say("mail.why_tags", { tags: "{n} <b> '{tags}'" });
  expect(said).toContain("{n} <b> '{tags}'");
});

test("a refusal has a code, and the catalogue its sentence", () => {
  const refusal = new Refusal(422, "too_many_tags", { most: 1_000 });
  expect(refusal).toMatchObject({ status: 422, code: "too_many_tags" });
  expect(openWording("de").reason(refusal)).toContain("1.000");
});

test("what a reader sees comes from the catalogue", () => {
  expect(unmarkedInTemplates()).toEqual([]);
  expect(unmarkedInCode()).toEqual([
    ...forPrograms.map((text) => `src/web/${text}`),
    "src/subscribers/change-address.ts: address change",
  ]);
});

/** In answers of the API, and in its description; names of time zones' regions. */
const forPrograms = [
  "pages/zones.ts: Etc",
  "failures.ts: There is nothing at this address: all addresses are in /api/v1/openapi.json.",
  "limits.ts: HTTP/1.1 408 Request Timeout\r\nconnection: close",
  "problem.ts: What went wrong, such as `too_many_tags`; null where there is no code",
  "problem.ts: Problem",
  "problem.ts: RFC 9457 problem document",
  "problem.ts: Error",
];

function valuesOf(text: string): string[] {
  const found = new Set<string>();
  const look = (elements: readonly MessageFormatElement[]): void => {
    for (const element of elements) {
      if ("value" in element && element.type !== TYPE.literal) found.add(element.value);
      if ("options" in element) for (const { value } of Object.values(element.options)) look(value);
    }
  };
  look(parse(text, { ignoreTag: true }));
  return [...found].toSorted();
}

function pluralsOf(elements: readonly MessageFormatElement[]): string[][] {
  return elements.flatMap((element) =>
    element.type === TYPE.plural
      ? [
          Object.keys(element.options).toSorted(),
          ...Object.values(element.options).flatMap(({ value }) => pluralsOf(value)),
        ]
      : [],
  );
}

/** Tags of HTML. A plural form may leave some of them out. */
function tagsOf(text: string): string[] {
  return [...new Set(text.match(/<[^>]+>/g) ?? [])].toSorted();
}
