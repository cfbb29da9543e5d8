import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assembleHtml, prepare } from "../../../src/render/assemble.ts";
import { compileStencil } from "../../../src/render/compile.ts";
import { senderOf } from "../../../src/render/publication.ts";
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

/** Loads the templates with `from` replaced by `to` in one of them. Returns the refusal, or null. */
async function changed(form: "html" | "text", from: string, to: string): Promise<unknown> {
  const source = good[form].source;
  if (!source.includes(from)) throw new Error(`No ${from} in the template.`);
  const html = form === "html" ? source.replaceAll(from, to) : good.html.source;
  await writeFile(join(folder, "digest.mjml"), html);
  await writeFile(join(folder, "digest.txt"), form === "text" ? source.replaceAll(from, to) : good.text.source);
  return loadTemplates(folder).then(
    () => null,
    (error: unknown) => error,
  );
}

describe("templates that cannot be used are refused at start", () => {
  const invalid = (reason: RegExp) => ["template_mjml_invalid", { reason: expect.stringMatching(reason) }] as const;
  const wrong = (reason: RegExp) => ["template_liquid_invalid", { reason: expect.stringMatching(reason) }] as const;
  test.each<[what: string, form: "html" | "text", from: string, to: string, readonly [string, object], line: string]>([
    [
      "a tag that is not closed",
      "html",
      "</mj-attributes>",
      "",
      ["template_tag_not_closed", { tag: "mj-attributes" }],
      "<mj-attributes>",
    ],
    [
      "a tag that was not opened",
      "html",
      "<mj-attributes>",
      "",
      ["template_tag_not_closed", { tag: "mj-head" }],
      "<mj-head>",
    ],
    ["an unknown tag", "html", "<mj-title>", "<mj-titel></mj-titel><mj-title>", invalid(/mj-titel/), "<mj-title>"],
    ["an unknown attribute", "html", ' padding="16px 0 8px"', ' paddding="16px"', invalid(/paddding/), "16px 0 8px"],
    ["a wrong value", "html", 'padding="16px 0 8px"', 'padding="wide"', invalid(/padding/), "16px 0 8px"],
    [
      "a file from elsewhere",
      "html",
      "<mj-body ",
      '<mj-include path="/etc/hostname" /><mj-body ',
      ["template_include_invalid", { path: "/etc/hostname" }],
      "<mj-body",
    ],
    [
      "a file from above",
      "html",
      "<mj-body ",
      '<mj-include path="../x.mjml" /><mj-body ',
      ["template_include_invalid", { path: "../x.mjml" }],
      "<mj-body",
    ],
    ["an unknown value", "html", "{{ edition.date }}", "{{ edition.datum }}", wrong(/datum/), "{{ edition.date }}"],
    [
      "an unknown filter",
      "text",
      "{{ edition.date }}",
      "{{ edition.date | shout }}",
      wrong(/shout/),
      "{{ edition.date",
    ],
    ["a Liquid block that is not closed", "text", "{% endfor %}", "", wrong(/for .*not closed/), "{% for "],
  ])("%s, with the line", async (_, form, from, to, [code, details], lineWith) => {
    const line = good[form].source.split("\n").findIndex((text) => text.includes(lineWith)) + 1;
    const file = join(folder, form === "html" ? "digest.mjml" : "digest.txt");
    expect(await changed(form, from, to)).toMatchObject({ status: 422, code, details: { file, line, ...details } });
  });

  test.each<[string, "html" | "text", string, string, string, object]>([
    [
      "no way to unsubscribe",
      "html",
      "{{ reader.unsubscribeUrl }}",
      "#",
      "template_value_missing",
      { value: "{{ reader.unsubscribeUrl }}" },
    ],
    [
      "no way to unsubscribe in text",
      "text",
      "{{ reader.unsubscribeUrl }}",
      "#",
      "template_value_missing",
      { file: expect.stringMatching(/digest\.txt$/) },
    ],
    [
      "no place for articles",
      "text",
      "{{ article.begin }}",
      "",
      "template_value_outside_block",
      { value: "{{ article.title }}" },
    ],
    [
      "articles without a link",
      "html",
      "{{ article.url }}",
      "#",
      "template_article_value_missing",
      { value: "{{ article.url }}", lead: "yes", without: "none" },
    ],
    [
      "articles that do not end",
      "html",
      "{{ article.end }}",
      "",
      "template_block_not_closed",
      { begin: "{{ article.begin }}", end: "{{ article.end }}" },
    ],
    [
      "the reader inside an article",
      "text",
      "{{ article.title }}",
      "{{ article.title }}{{ reader.why }}",
      "template_reader_value_in_article",
      { value: "{{ reader.why }}" },
    ],
  ])("%s", async (_, form, from, to, code, details) => {
    expect(await changed(form, from, to)).toMatchObject({ status: 422, code, details });
  });

  test("but a part from a file beside the template is welcome", async () => {
    await writeFile(
      join(folder, "hello.mjml"),
      "<mj-section><mj-column><mj-text>Hello from a part</mj-text></mj-column></mj-section>",
    );
    expect(await changed("html", "</mj-body>", '<mj-include path="hello.mjml" /></mj-body>')).toBeNull();
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
    await expect(loadTemplates(folder)).rejects.toMatchObject({
      code: "template_unreadable",
      details: { file: expect.stringMatching(/digest\.mjml$/), reason: expect.stringContaining("ENOENT") },
    });
  });
});
