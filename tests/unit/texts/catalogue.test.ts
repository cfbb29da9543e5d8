import { reasonOf, Refusal } from "../../../src/base/errors.ts";
import { parse, TYPE, type MessageFormatElement } from "@formatjs/icu-messageformat-parser";
import { describe, expect, test } from "vitest";
import { languages, messagesOf, openWording } from "../../../src/texts/catalogue.ts";
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

  test("says of an email only what is true whether or not one is sent, where nobody may learn which", () => {
    const keys = ["subscribed.lead", "subscribe.check_inbox", "address.asked", "sample.sent", "settings.sent"];
    const conditions: Record<string, RegExp> = { en: /\bIf\b/, de: /\bWenn\b/, ko: /보낼 수 있으면/ };
    for (const key of keys) expect(messages[key], key).toMatch(conditions[language]!);
  });

  test("has every plural form that the language has", () => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    for (const [key, text] of Object.entries(messages)) {
      for (const forms of pluralsOf(parse(text, { ignoreTag: true }))) expect(forms, key).toEqual(categories);
    }
  });
});

test("Korean texts have one word for an edition", () => {
  const others = Object.entries(messagesOf("ko")).filter(
    ([key, text]) => /edition/i.test(english[key]!) && /판|발행본|에디션/.test(text),
  );
  expect(others).toEqual([]);
});

test("texts of emails and refusals are plain text", () => {
  const plain = Object.entries(english).filter(([key]) =>
    /^(?:notice|mail|alert|error|outcome|reason|finding)\./.test(key),
  );
  expect(plain.filter(([, text]) => /<\/?[a-z]+[ >]/.test(text)).map(([key]) => key)).toEqual([]);
});

test("every text is used somewhere", () => {
  const source = productSource();
  const unused = Object.keys(english).filter((key) => {
    const code = key.replace(/^(error|fault|reason|finding|outcome|why|alert)\./, "");
    // Some keys are made from a kind, such as `notice.${kind}.lead`.
    const pattern = key
      .replace(/^(notice|alert)\.[\w-]+\.(\w+)$/, "$1.${kind}.$2")
      .replace(/^(setting)\.[A-Z_]+(\.\w+)$/, "$1.${name}$2");
    // Read by tests/unit/config/settings-doc.test.ts.
    if (/^setting\.[A-Z_]+$/.test(key)) return false;
    // A value chooses the text, such as `article_status.${status}`.
    if (source.includes(`\`${key.split(".").slice(0, -1).join(".")}.\${`)) return false;
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

test("a reason among the details of a refusal is said in its place", () => {
  const reason = { code: "logo_not_chosen", details: {} } as const;
  const { say, failure } = openWording("de");
  expect(failure(new Refusal(422, "logo_invalid", { reason }))).toContain(say("error.logo_not_chosen"));
});

test("a log has the code and the data of a refusal", () => {
  expect(reasonOf(new Refusal(404, "edition_not_found", { edition: "2026-11-24" }))).toBe(
    'edition_not_found {"edition":"2026-11-24"}',
  );
});

test("what a reader sees comes from the catalogue", () => {
  expect(unmarkedInTemplates()).toEqual([]);
  expect(unmarkedInCode().toSorted()).toEqual(forPrograms.map((text) => `src/web/${text}`).toSorted());
});

/** For programs and logs, and names of products. */
const forPrograms = [
  "health.ts: not ok",
  "health.ts: not ready",
  "metrics.ts: Whether a part could be measured",
  "failures.ts: Error",
  "api/server.ts: Dayletter",
  "operator/site.ts: Ghost",
  "operator/site.ts: Drupal",
  "operator/site.ts: Hugo",
  "operator/site.ts: Jekyll, Eleventy",
  "operator/queues.ts: queues change",
  "pages/timezone.ts: Etc",
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
