import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTemplates } from "../../../src/render/templates.ts";
import type { EmailTemplates } from "../../../src/render/types.ts";
import { templates } from "./mail.ts";

let good: EmailTemplates;
let folder: string;

beforeAll(async () => {
  good = await templates();
  folder = await mkdtemp(join(tmpdir(), "dayletter-templates-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Loads the templates with `from` replaced by `to` in one of them; gives the error's text and the line of the change. */
async function changed(form: "html" | "text", from: string, to: string): Promise<{ message: string; line: number }> {
  const source = good[form].source;
  if (!source.includes(from)) throw new Error(`No ${from} in the template.`);
  const html = form === "html" ? source.replaceAll(from, to) : good.html.source;
  await writeFile(join(folder, "digest.mjml"), html);
  await writeFile(join(folder, "digest.txt"), form === "text" ? source.replaceAll(from, to) : good.text.source);
  const line = source.slice(0, source.indexOf(from)).split("\n").length;
  const refused: unknown = await loadTemplates(folder).then(() => new Error("accepted"), (error: unknown) => error);
  return { message: (refused as Error).message, line };
}

describe("templates that cannot be used are refused at start", () => {
  test.each<[string, "html" | "text", string, string, RegExp]>([
    ["a tag that is not closed", "html", "</mj-attributes>", "", /<mj-attributes> is not closed/],
    ["an unknown tag", "html", "<mj-title>", "<mj-titel></mj-titel><mj-title>", /mj-titel/],
    ["an unknown attribute", "html", 'padding="16px 0 8px"', 'paddding="16px 0 8px"', /paddding/],
    ["a wrong value", "html", 'padding="16px 0 8px"', 'padding="wide"', /padding/],
    ["an unknown value name", "html", "{{ edition.date }}", "{{ edition.datum }}", /edition\.datum/],
    ["an unknown filter", "text", "{{ edition.date }}", "{{ edition.date | shout }}", /shout/],
    ["a Liquid tag that is not closed", "text", "{% endif %}", "", /not closed/],
  ])("%s, with the line", async (_, form, from, to, reason) => {
    const { message, line } = await changed(form, from, to);
    expect(message).toMatch(/^The mail template \S+digest\.(mjml|txt)/);
    expect(message).toMatch(reason);
    const named = Number(/, line (\d+),/.exec(message)?.[1]);
    expect(Math.abs(named - line)).toBeLessThanOrEqual(form === "html" ? 1 : 20);
  });

  test.each<[string, "html" | "text", string, string, RegExp]>([
    ["no way to unsubscribe", "html", "{{ reader.unsubscribeUrl }}", "#", /has no \{\{ reader.unsubscribeUrl \}\}/],
    ["no way to unsubscribe in text", "text", "{{ reader.unsubscribeUrl }}", "#", /digest.txt has no \{\{ reader.uns/],
    ["no place for articles", "text", "{{ article.begin }}", "", /article.title \}\} outside|must hold the articles/],
    ["articles without a link", "html", "{{ article.url }}", "#", /has no \{\{ article.url \}\} for a lead article/],
    ["articles that do not end", "html", "{{ article.end }}", "", /\{\{ article.begin \}\} without \{\{ article.end \}\}/],
    ["the reader inside an article", "text", "{{ article.title }}", "{{ article.title }}{{ reader.why }}", /inside an article/],
    ["a file from elsewhere", "html", "<mj-body ", '<mj-include path="/etc/hostname" /><mj-body ', /mj-include/],
  ])("%s", async (_, form, from, to, reason) => {
    expect((await changed(form, from, to)).message).toMatch(reason);
  });

  test("a missing file", async () => {
    await expect(loadTemplates(join(folder, "none"))).rejects.toThrow(/digest\.mjml cannot be read: ENOENT/);
  });
});
