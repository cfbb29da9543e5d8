import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contrastOf, readableOn } from "../../../src/render/colour.ts";
import { oneLine } from "../../../src/base/text.ts";
import { clip, commaLine, httpUrl, wrap } from "../../../src/render/plain.ts";
import { sharedValues } from "../../../src/render/assemble.ts";
import { openWording } from "../../../src/texts/catalogue.ts";
import { readerMail } from "./mail.ts";

const unit16 = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
const anyText = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: unit16 }), fc.string({ unit: "binary" }));
const flag = "\u{1f1f0}\u{1f1f7}";

describe("plain text", () => {
  test.each([
    ["a\r\nb\u2028c\td", "a b c d"],
    ["\u202eabc\u202c \u0000x", "abc x"],
    ["\ud800x", "\ufffdx"],
    ["\u200fשלום \u200d", "\u200fשלום \u200d"],
    ["  LG  U+ ", "LG U+"],
  ])("%j is one line, %j", (text, line) => {
    expect(oneLine(text)).toBe(line);
  });

  test.each([
    ["short", 10, "short"],
    ["one two three four", 11, "one two\u2026"],
    ["abcdefghijkl", 6, "abcde\u2026"],
    [`abc${flag}${flag}`, 8, `abc${flag}\u2026`],
  ])("%j in %d characters is %j", (text, limit, clipped) => {
    expect(clip(text, limit)).toBe(clipped);
  });

  test("cut anywhere, it is well formed and no longer than asked", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 50 }), (raw, limit) => {
        const clipped = clip(oneLine(raw), limit);
        expect(clipped.length).toBeLessThanOrEqual(limit);
        expect(clipped).not.toMatch(/\p{Surrogate}/u);
      }),
    );
  });

  test("wrapped, it keeps its words", () => {
    const text = "South Korea has confirmed that Washington raised concerns";
    expect(
      wrap(text, 20)
        .split("\n")
        .every((line) => line.length <= 20),
    ).toBe(true);
    expect(wrap(text, 20).replaceAll("\n", " ")).toBe(text);
    expect(wrap(`see ${"x".repeat(30)} there`, 20)).toBe(`see\n${"x".repeat(30)}\nthere`);
  });

  test("an address of several lines becomes one", () => {
    expect(commaLine("Courier,\r\n\n 12 Press  Street\nSpringfield")).toBe("Courier, 12 Press Street, Springfield");
  });

  test.each([
    ["https://news.example/\ud55c?a=b c", "https://news.example/%ED%95%9C?a=b%20c"],
    ["HTTP://News.Example", "http://news.example/"],
    ["javascript:alert(1)", null],
    ["https://a:b@news.example/", null],
    ["/relative", null],
  ])("the link %j is %j", (text, url) => {
    expect(httpUrl(text)).toBe(url);
  });
});

describe("the accent colour", () => {
  test.each(["#8a2f1f", "#ffff00", "#000000", "#ffffff", "#777777", "red", ""])(
    "%j can be read on light and dark",
    (colour) => {
      for (const ground of ["#fffdf8", "#191713"])
        expect(contrastOf(readableOn(colour, ground), ground)).toBeGreaterThanOrEqual(4.5);
    },
  );

  test("is left as it is where it can be read", () => {
    expect(readableOn("#8a2f1f", "#fffdf8")).toBe("#8a2f1f");
  });
});

function values(language: string, tags: string[] | "all", count: number): Record<string, string> {
  const positions = Array.from({ length: count }, (_, i) => i);
  return sharedValues(readerMail(positions, { matchedTags: tags }), {
    wording: openWording(language),
    headlines: positions.map((position) => `Headline ${position}`),
  });
}

describe("the reader's sentences", () => {
  test.each([
    [
      "en",
      ["huawei", "Korea"],
      3,
      "3 articles on huawei, Korea",
      "You get this email because you follow huawei, Korea.",
    ],
    ["en-GB", ["lg u+"], 1, "1 article on lg u+", "You get this email because you follow lg u+."],
    ["en", "all" as const, 2, "2 articles", "You get this email because you follow all news."],
    ["de", ["Korea"], 2, "2 Artikel zu Korea", "Sie erhalten diese Mail, weil Sie Korea folgen."],
    ["ko", ["한국"], 2, "한국 관련 기사 2건", "구독하신 태그: 한국"],
    ["fr", ["x"], 1, "1 article on x", "You get this email because you follow x."],
  ])("in %s, for %j and %d articles", (language, tags, n, count, why) => {
    expect(values(language, tags, n)).toMatchObject({ count, why });
  });

  test("many tags are counted rather than listed", () => {
    const tags = Array.from({ length: 60 }, (_, i) => `a tag of some length ${i}`);
    const { count = "", why = "" } = values("en", tags, 2);
    expect(count).toBe("2 articles on a tag of some length 0, a tag of some length 1 and 58 more");
    expect(count.length).toBeLessThanOrEqual(90);
    expect(why).toMatch(/ and \d+ more\.$/);
  });

  test("as many headlines as fit are in the preheader", () => {
    const { preheader = "" } = values("en", "all", 30);
    expect(preheader).toMatch(/^Headline 0 \u00b7 Headline 1 \u00b7 .*/);
    expect(preheader.length).toBeLessThanOrEqual(90);
  });
});
