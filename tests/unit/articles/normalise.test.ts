import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { canonicalKey } from "../../../src/articles/normalise.ts";

describe("canonicalKey", () => {
  test.each([
    ["http://example.com/a", "https://example.com/a"],
    ["https://WWW.Example.COM:443/a", "https://example.com/a"],
    ["http://example.com:80/a", "https://example.com/a"],
    ["https://example.com./a", "https://example.com/a"],
    ["https://me:secret@example.com/a", "https://example.com/a"],
    ["https://example.com/a#comments", "https://example.com/a"],
    ["https://example.com/a/", "https://example.com/a"],
    ["https://example.com/a/index.html", "https://example.com/a"],
    ["https://example.com/index.htm?p=1", "https://example.com?p=1"],
    ["https://example.com/a?utm_source=x&utm_medium=rss&fbclid=1&gclid=2", "https://example.com/a"],
    ["https://example.com/a?b=2&UTM_Source=x&a=1", "https://example.com/a?a=1&b=2"],
    ["https://example.com/a?x=&y", "https://example.com/a?x&y="],
    ["https://example.com/%7euser/caf%c3%a9", "https://example.com/~user/café"],
    ["https://example.com/a?q=lg%20u%2b", "https://example.com/a?q=lg+u%2B"],
    ["https://example.com/?utm_x=%&a=%41", "https://example.com/?a=A"],
    ["https://한국.example/뉴스", "https://xn--3e0b707e.example/%EB%89%B4%EC%8A%A4"],
  ])("takes %s for %s", (a, b) => expect(canonicalKey(a)).toBe(canonicalKey(b)));

  test.each([
    ["https://example.com/a", "https://example.com/A"],
    ["https://example.com/a?id=1", "https://example.com/a?id=2"],
    ["https://example.com/a", "https://example.com/a?id=1"],
    ["https://example.com/a?t=1&t=2", "https://example.com/a?t=2&t=1"],
    ["https://example.com/a?q=%B0%A1", "https://example.com/a?q=%B0%A2"],
    ["https://example.com/a?q=lg+u%2B", "https://example.com/a?q=lg+u"],
    ["https://example.com/a%2Fb", "https://example.com/a/b"],
    ["https://m.example.com/a", "https://example.com/a"],
    ["https://example.com:8443/a", "https://example.com/a"],
    ["https://www.com/a", "https://com/a"],
  ])("keeps %s apart from %s", (a, b) => expect(canonicalKey(a)).not.toBe(canonicalKey(b)));

  it("is its own key", () => {
    const host = fc.constantFrom(
      "example.com",
      "www.www.example.com",
      "EXAMPLE.com.",
      "[::1]",
      "10.0.0.1:80",
      "www.com",
      "h:8080",
    );
    const bits = [
      "/",
      "//",
      "index.html",
      "index.htm",
      "..",
      "%2e",
      "%",
      "%%36%35",
      "%25",
      "%7E",
      "+",
      "%20",
      "&",
      "=",
      "?",
      "#",
      "a",
      "utm_x=",
      "é",
      ";",
    ];
    const tail = fc.array(fc.oneof(fc.constantFrom(...bits), fc.string())).map((parts) => parts.join(""));
    const hostile = fc.tuple(host, tail).map(([name, rest]) => `http://${name}/${rest}`);
    const urls = fc.oneof(hostile, fc.webUrl({ withFragments: true, withQueryParameters: true }));
    fc.assert(
      fc.property(urls, (url) => {
        const key = canonicalKey(url);
        expect(canonicalKey(key)).toBe(key);
        expect(key.length).toBeLessThanOrEqual(new URL(url).href.length + 1);
      }),
      { numRuns: 2000 },
    );
  });

  test.each(["", "example.com/a", "ftp://example.com/a", "javascript:alert(1)"])("refuses %j", (url) => {
    expect(() => canonicalKey(url)).toThrow(expect.objectContaining({ code: "article_url_invalid" }));
  });
});
