import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { cleanTag, cleanTags, searchKey, tagKey } from "../../../src/articles/tags.ts";

/** Letters of many scripts, marks, symbols and emoji, in words. */
const names = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });

describe("cleanTag", () => {
  test.each([
    "lg u+",
    "c++",
    "C#",
    "a/b",
    "한국",
    "日本",
    "العربية",
    "हिन्दी",
    "👩‍👩‍👧",
    "🇰🇷",
    "#1",
    "AT&T",
    "5G & 6G",
    "<T>",
    "%2B",
    "'",
  ])("keeps %s as it is", (name) => expect(cleanTag(name)).toBe(name));

  test.each([
    ["  lg \t u+\n", "lg u+"],
    ["lg\u00a0u+", "lg u+"],
    ["日本\u3000東京", "日本 東京"],
    ["evil\u202egnp\u0000.exe", "evilgnp.exe"],
    ["in\u200bvi\u00adsible\u200f", "invisible"],
    ["한국".normalize("NFD"), "한국"],
    ["é".normalize("NFD"), "é"],
  ])("cleans %j", (raw, name) => expect(cleanTag(raw)).toBe(name));

  test.each(["", " \t\u00a0", "\u200b\u200e", "\u200d", "x".repeat(61), "👩‍👩‍👧".repeat(20), "x".repeat(1_000_000)])(
    "refuses an empty or endless one",
    (raw) => expect(cleanTag(raw)).toBeNull(),
  );

  it("changes nothing the second time", () => {
    fc.assert(
      fc.property(fc.oneof(names, fc.string({ unit: "binary" })), (raw) => {
        const name = cleanTag(raw);
        if (name !== null) expect(cleanTag(name)).toBe(name);
      }),
    );
  });

  it("loses no letter, digit, mark or symbol of any script", () => {
    const visible = (text: string) => (text.match(/[\p{L}\p{N}\p{P}\p{S}]/gu) ?? []).join("");
    fc.assert(
      fc.property(names, (raw) => {
        const name = cleanTag(raw);
        if (name !== null) expect(visible(name)).toBe(visible(raw.normalize("NFC")));
      }),
    );
  });
});

describe("tagKey", () => {
  test.each([
    ["LG U+", "lg u+"],
    ["STRASSE", "straße"],
    ["ΟΔΟΣ", "οδος"],
    ["ΟΔΟΣ", "οδοσ"],
    ["Ǆ", "ǆ"],
    ["É", "e\u0301"],
    ["한국", "한국".normalize("NFD")],
    ["LG U＋", "LG U+"],
    ["ＬＧ　Ｕ＋", "lg u+"],
    ["ﾃﾚｺﾑ", "テレコム"],
    ["㈜한국", "(주)한국"],
    ["25 ℃", "25 °c"],
  ])("makes %s and %s one tag", (a, b) => expect(tagKey(a)).toBe(tagKey(b)));

  test.each([
    ["lg u+", "lg u"],
    ["c", "c++"],
    ["c#", "c"],
    ["ı", "i"],
    ["é", "e"],
    ["か", "カ"],
  ])("keeps %s apart from %s", (a, b) => expect(tagKey(a)).not.toBe(tagKey(b)));

  it("is its own key, for every letter there is", () => {
    for (let code = 0x20; code < 0x1_f000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const key = tagKey(String.fromCodePoint(code));
      if (tagKey(key) !== key) expect.fail(`U+${code.toString(16)}`);
    }
    fc.assert(
      fc.property(names, (name) => {
        expect(tagKey(tagKey(name))).toBe(tagKey(name));
      }),
    );
  });
});

describe("searchKey", () => {
  test.each([
    ["Telefónica", "telefonica"],
    ["Ångström", "angstrom"],
    ["Łódź", "lodz"],
    ["Orsted", "Ørsted"],
    ["ΑΘΉΝΑ", "αθηνα"],
    ["İstanbul", "istanbul"],
  ])("finds %s as %s", (name, query) => expect(searchKey(name)).toBe(searchKey(query)));

  test.each([
    ["が", "か"],
    ["हिन्दी", "हन्द"],
    ["한", "하"],
  ])("keeps %s apart from %s", (a, b) => expect(searchKey(a)).not.toBe(searchKey(b)));

  it("changes nothing the second time", () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(searchKey(searchKey(name))).toBe(searchKey(name));
      }),
    );
  });
});

describe("cleanTags", () => {
  it("gives each tag once, in its first spelling and order", () => {
    expect(cleanTags(["LG U+", "huawei", " lg  u+", "Huawei", "lg u", "", "Korea"])).toEqual([
      "LG U+",
      "huawei",
      "lg u",
      "Korea",
    ]);
  });

  it("stops at 30", () => {
    expect(cleanTags(Array.from({ length: 99 }, (_, i) => `tag ${i}`))).toHaveLength(30);
  });
});
