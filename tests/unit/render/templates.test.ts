import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assembleHtml, prepare } from "../../../src/render/assemble.ts";
import { compileStencil } from "../../../src/render/compile.ts";
import { senderOf } from "../../../src/render/sender.ts";
import { loadTemplates } from "../../../src/render/templates.ts";
import type { EmailTemplates } from "../../../src/render/types.ts";
import { article, publication, readerMail, templates } from "./mail.ts";

let good: EmailTemplates;
let folder: string;

beforeAll(async () => {
  good = await templates();
  folder = await mkdtemp(join(tmpdir(), "dayletter-templates-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Loads the templates with `from` replaced by `to` in one of them, and gives what the error says. */
async function changed(form: "html" | "text", from: string, to: string): Promise<string> {
  const source = good[form].source;
  if (!source.includes(from)) throw new Error(`No ${from} in the template.`);
  const html = form === "html" ? source.replaceAll(from, to) : good.html.source;
  await writeFile(join(folder, "digest.mjml"), html);
  await writeFile(join(folder, "digest.txt"), form === "text" ? source.replaceAll(from, to) : good.text.source);
  const refused: unknown = await loadTemplates(folder).then(
    () => new Error("accepted"),
    (error: unknown) => error,
  );
  return (refused as Error).message;
}

describe("templates that cannot be used are refused at start", () => {
  test.each<[what: string, form: "html" | "text", from: string, to: string, reason: RegExp, lineWith: string]>([
    ["a tag that is not closed", "html", "</mj-attributes>", "", /<mj-attributes> is not closed/, "<mj-attributes>"],
    ["a tag that was not opened", "html", "<mj-attributes>", "", /<mj-head> is not closed/, "<mj-head>"],
    ["an unknown tag", "html", "<mj-title>", "<mj-titel></mj-titel><mj-title>", /mj-titel/, "<mj-title>"],
    ["an unknown attribute", "html", ' padding="16px 0 8px"', ' paddding="16px"', /paddding/, "16px 0 8px"],
    ["a wrong value", "html", 'padding="16px 0 8px"', 'padding="wide"', /padding/, "16px 0 8px"],
    [
      "a file from elsewhere",
      "html",
      "<mj-body ",
      '<mj-include path="/etc/hostname" /><mj-body ',
      /mj-include must/,
      "<mj-body",
    ],
    [
      "a file from above",
      "html",
      "<mj-body ",
      '<mj-include path="../x.mjml" /><mj-body ',
      /mj-include must/,
      "<mj-body",
    ],
    ["an unknown value", "html", "{{ edition.date }}", "{{ edition.datum }}", /edition\.datum/, "{{ edition.date }}"],
    ["an unknown filter", "text", "{{ edition.date }}", "{{ edition.date | shout }}", /shout/, "{{ edition.date }}"],
    ["a Liquid block that is not closed", "text", "{% endfor %}", "", /for .*not closed/, "{% for "],
  ])("%s, with the line", async (_, form, from, to, reason, lineWith) => {
    const message = await changed(form, from, to);
    const line = good[form].source.split("\n").findIndex((text) => text.includes(lineWith)) + 1;
    expect(message).toMatch(new RegExp(`^The mail template \\S+digest\\.(mjml|txt), line ${line}, is not valid`));
    expect(message).toMatch(reason);
  });

  test.each<[string, "html" | "text", string, string, RegExp]>([
    ["no way to unsubscribe", "html", "{{ reader.unsubscribeUrl }}", "#", /has no \{\{ reader.unsubscribeUrl \}\}/],
    ["no way to unsubscribe in text", "text", "{{ reader.unsubscribeUrl }}", "#", /digest.txt has no \{\{ reader.uns/],
    ["no place for articles", "text", "{{ article.begin }}", "", /article.title \}\} outside|must hold the articles/],
    ["articles without a link", "html", "{{ article.url }}", "#", /has no \{\{ article.url \}\} for a lead article/],
    [
      "articles that do not end",
      "html",
      "{{ article.end }}",
      "",
      /\{\{ article.begin \}\} without \{\{ article.end \}\}/,
    ],
    [
      "the reader inside an article",
      "text",
      "{{ article.title }}",
      "{{ article.title }}{{ reader.why }}",
      /inside an article/,
    ],
  ])("%s", async (_, form, from, to, reason) => {
    expect(await changed(form, from, to)).toMatch(reason);
  });

  test("but a part from a file beside the template is welcome", async () => {
    await writeFile(
      join(folder, "hello.mjml"),
      "<mj-section><mj-column><mj-text>Hello from a part</mj-text></mj-column></mj-section>",
    );
    expect(await changed("html", "</mj-body>", '<mj-include path="hello.mjml" /></mj-body>')).toBe("accepted");
    const edition = { date: "2013-12-05", number: 1 };
    const stencil = await compileStencil(await loadTemplates(folder), {
      publication,
      edition,
      articles: [article(0)],
      mode: "edition",
    });
    expect(assembleHtml(prepare(stencil, senderOf(publication, edition)), readerMail([0]))).toContain(
      "Hello from a part",
    );
  });

  test("a missing file", async () => {
    await writeFile(join(folder, "digest.txt"), good.text.source);
    await rm(join(folder, "digest.mjml"), { force: true });
    await expect(loadTemplates(folder)).rejects.toThrow(/digest\.mjml cannot be read: ENOENT/);
  });
});
