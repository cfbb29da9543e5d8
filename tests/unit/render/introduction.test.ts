import { describe, expect, test } from "vitest";
import { assembleHtml, assembleText } from "../../../src/render/assemble.ts";
import { parseMarkdown } from "../../../src/render/markdown.ts";
import { article, prepared, readerMail } from "./mail.ts";

async function shown(introduction: string): Promise<{ html: string; text: string }> {
  const edition = await prepared([article(0)], { words: { introduction, subject: null } });
  const html = assembleHtml(edition, readerMail([0]));
  const text = assembleText(edition, readerMail([0]));
  const from = text.indexOf("huawei, Korea\n") + "huawei, Korea\n".length;
  return {
    html: html.replace(/ (?:style|dir)="[^"]*"/g, ""),
    text: text.slice(from, text.indexOf("-----")).trim(),
  };
}

describe("an introduction in Markdown", () => {
  test("has paragraphs, emphasis and links", async () => {
    const { html, text } = await shown(
      "A **bold *and soft* word**, _one_ of [two & more](https://a.example/?x=1&y=2).\nSecond",
    );
    expect(html).toContain(
      "<p>A <strong>bold <em>and soft</em> word</strong>, <em>one</em> of " +
        '<a href="https://a.example/?x=1&amp;y=2">two &amp; more</a>.</p><p>Second</p>',
    );
    expect(text).toBe("A bold and soft word, one of two & more <https://a.example/?x=1&y=2>.\n\nSecond");
  });

  test("has lists, also with empty lines between their items, as a draft keeps them", async () => {
    const { html, text } = await shown(
      "Today:\n\n- one\n\n- *two* and a text so long that it does not fit into one line of the text part\n1. first\n2) second",
    );
    expect(html).toContain("<p>Today:</p><ul><li>one</li><li><em>two</em> and");
    expect(html).toContain("</li></ul><ol><li>first</li><li>second</li></ol>");
    expect(text).toBe(
      "Today:\n\n- one\n- two and a text so long that it does not fit into one line of the text\n  part\n\n1. first\n2. second",
    );
  });

  test.each([
    ["<b>x</b> &amp; <script>", "&lt;b&gt;x&lt;/b&gt; &amp;amp; &lt;script&gt;"],
    ["[x](javascript:alert(1))", "[x](javascript:alert(1))"],
    ['[x](https://a.example/"onclick="y)', '<a href="https://a.example/%22onclick=%22y">x</a>'],
    ["![x](https://a.example/x.png)", '!<a href="https://a.example/x.png">x</a>'],
    ["2 * 3 * 4, snake_case_name and **", "2 * 3 * 4, snake_case_name and **"],
    ["\\*not soft\\* [no](link)", "*not soft* [no](link)"],
    ["-no list", "-no list"],
    ["# No heading", "# No heading"],
  ])("shows %j as %j", async (introduction, html) => {
    expect((await shown(introduction)).html).toContain(`<p>${html}</p>`);
  });

  test("says the direction of each of its paragraphs", async () => {
    const edition = await prepared([article(0)], { words: { introduction: "שלום\nHello", subject: null } });
    const html = assembleHtml(edition, readerMail([0]));
    expect(html).toMatch(
      /<p dir="auto" style="[^"]*text-align:right[^"]*">שלום<\/p><p dir="auto" style="(?![^"]*text-align)/,
    );
  });

  test("takes no longer for a hostile text than for a usual one", () => {
    const start = performance.now();
    for (const text of ["*", "**", "_", "[", "[a](", "\\", "*a ", "[a](https://a.example/"])
      parseMarkdown(text.repeat(2000));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
