import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { decodeEntities, plainText } from "../../../src/articles/text.ts";

describe("plainText", () => {
  test.each([
    ["plain", "plain"],
    ["<p>One <b>two</b></p><p>three<br>four</p>", "One two three four"],
    ["LG U&#43; &amp; AT&amp;T &ldquo;deal&rdquo;", "LG U+ & AT&T “deal”"],
    ["&lt;p&gt;Escaped &amp;amp; once&lt;/p&gt;", "Escaped & once"],
    ["&amp;lt;b&amp;gt;Escaped twice&amp;lt;/b&amp;gt;", "Escaped twice"],
    ["Using <T> and a < b > c in C++", "Using <T> and a < b > c in C++"],
    ["Hello <script>alert(1)</script>world<style>p{}</style>", "Hello world"],
    ['<img src=x onerror="alert(1)">Hi', "Hi"],
    ["Q&A: R&D at AT&T", "Q&A: R&D at AT&T"],
    ["&xxe; &nosuch;", "&xxe; &nosuch;"],
    ["<ul><li>one<li>two</ul>", "one; two"],
    [
      "Today: <ul><li>Rates rise.</li><li>Oil falls</li><li>Won up</li></ul> More soon.",
      "Today: Rates rise. Oil falls; Won up More soon.",
    ],
    ["<ol><li>one<ul><li>inner</li></ul></li><li>two</li></ol>", "one inner; two"],
    ["漢字の<ruby>読<rp>(</rp><rt>よ</rt><rp>)</rp></ruby>み", "漢字の読(よ)み"],
    ["super<wbr>califragilistic", "supercalifragilistic"],
    ["Press <kbd>Ctrl</kbd>+<kbd>C</kbd>", "Press Ctrl+C"],
    ["Word<o:p></o:p> was here", "Word was here"],
    ["<my-card>Custom</my-card>", "Custom"],
    ["Before <iframe src='x'/> after", "Before after"],
    ["Before <iframe src='x'> after", "Before after"],
    ["Before <iframe src='x'>fallback</iframe> after", "Before after"],
    ["<p>List<String> and map<K, V></p>", "List<String> and map<K, V>"],
    ["<p>a <b and the rest", "a <b and the rest"],
    ["<b>1</b> < 2 &amp;&amp; 3 > 2", "1 < 2 && 3 > 2"],
    ["&#55357;&#56832; and &#xD83D;&#xDE00;", "😀 and 😀"],
    ["<p>One<p>Two", "One Two"],
    ["<table><tr><td>a<td>b</table>", "a b"],
    ['<a href="https://x.example">link</a><!-- hidden -->', "link"],
    ["many\n\n \t spaces&nbsp;&nbsp; here ", "many spaces here"],
    ["bidi \u202Eabc\u202C and \u0007bell\u0000", "bidi abc and bell"],
    ["<h1>Heading stays as written</h1>", "Heading stays as written"],
  ])("reads %j", (raw, text) => expect(plainText(raw)).toBe(text));

  test.each([
    ["Why <body> and <p> matter", "Why <body> and <p> matter"],
    ["Why &lt;body&gt; and &lt;p&gt; matter", "Why <body> and <p> matter"],
    ["The <title> of a page", "The <title> of a page"],
    ["LG U+ <b>wins</b>", "LG U+ wins"],
    ["AT&amp;amp;T", "AT&T"],
  ])("reads the title %j", (raw, text) => expect(plainText(raw, 500, "title")).toBe(text));

  test.each(["Use <b>bold</b> &amp; more", "a < b"])("keeps the plain text %j", (raw) => {
    expect(plainText(raw, 500, "text")).toBe(raw);
  });

  it("cuts between graphemes and says so", () => {
    expect(plainText("👩‍👩‍👧".repeat(10), 20)).toBe(`${"👩‍👩‍👧".repeat(2)}…`);
    expect(plainText("word ".repeat(200), 500)).toHaveLength(500);
  });

  it("leaves no control character and no line break, and keeps to its limit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 50 }), (raw, max) => {
        const text = plainText(raw, max);
        expect(text.length).toBeLessThanOrEqual(max);
        expect(text).not.toMatch(/[\p{Cc}\u2028\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });

  test.each(["<b>", "<", "<a href='", "&amp;", "&amp;lt;b&amp;gt;", "<div><p>"])("is quick with 10 MB of %s", (bit) => {
    const started = performance.now();
    plainText(bit.repeat(10_000_000 / bit.length), 2000);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("decodeEntities", () => {
  test.each([
    ["lg u&#43;", "lg u+"],
    ["AT&amp;T", "AT&T"],
    ["&amp;amp;", "&amp;"],
    ["a <b> &lt;c&gt;", "a <b> <c>"],
    ["R&D", "R&D"],
    ["&bogus; &amp;", "&bogus; &"],
    [" two\n\n lines&excl; ", " two\n\n lines! "],
  ])("decodes %j once", (raw, text) => expect(decodeEntities(raw)).toBe(text));

  it("is quick with many short lines", () => {
    const started = performance.now();
    expect(decodeEntities("&nbsp;\n".repeat(150_000))).toBe("\u00a0\n".repeat(150_000));
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
