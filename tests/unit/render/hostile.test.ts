import { simpleParser } from "mailparser";
import { describe, expect, test } from "vitest";
import { assemble, assembleHtml, assembleText } from "../../../src/render/assemble.ts";
import { hostileTexts, hostileUrls } from "./hostile-texts.ts";
import { article, prepared, publication, readerMail } from "./mail.ts";
import { expectWireSafe, fieldNames, headlines, skeleton } from "./wire.ts";

const linked = { name: "Korea JoongAng Daily", url: "https://source.example/" };
const [benign, benignMail] = [[article(0, { origin: linked }), article(1)], readerMail([0, 1], { more: 2 })];

describe("hostile text in every field", () => {
  test.each(hostileTexts)("%s comes out inert", async (_, text) => {
    const hostile = (position: number): Parameters<typeof article>[1] => ({
      title: text,
      summary: text,
      tags: [text, text],
      origin: { name: text, url: position === 0 ? `https://source.example/?q=${text.slice(0, 100)}` : null },
      url: `https://news.example/?q=${encodeURIComponent(text.replace(/\p{Surrogate}/gu, ""))}&amp="'<b>`,
    });
    const plain = await prepared(benign);
    const edition = await prepared([article(0, hostile(0)), article(1, hostile(1))], {
      publication: { name: text, postalAddress: text, from: { ...publication.from, name: text } },
    });
    const mail = { ...benignMail, matchedTags: [text, "Korea"] };
    const html = assembleHtml(edition, mail);
    const message = assemble(edition, mail);
    const tags = (of: string): string[] => skeleton(of).filter((tag) => !/^<\/?bdi>$/.test(tag));
    expect(tags(html)).toEqual(tags(assembleHtml(plain, benignMail)));
    expect(html.match(/<bdi>/g)?.length).toBe(html.match(/<\/bdi>/g)?.length);
    expect(fieldNames(message)).toEqual(fieldNames(assemble(plain, benignMail)));
    expectWireSafe(message);
    // oxlint-disable-next-line no-control-regex -- the point is that none is left
    const unwanted = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;
    const isolated = (of: string): string => of.replace(/\u2068([^\u2066-\u2069]*)\u2069/g, "$1");
    for (const form of [html, isolated(assembleText(edition, mail))]) expect(form).not.toMatch(unwanted);
    const parsed = await simpleParser(message);
    expect(parsed.to).toMatchObject({ value: [{ address: "reader@mail.example" }] });
    expect(parsed.from?.value).toMatchObject([{ address: "news@courier.example" }]);
    expect(parsed.subject?.length).toBeLessThanOrEqual(120);
    expect(isolated(parsed.subject ?? "")).not.toMatch(unwanted);
    expect(parsed.attachments).toEqual([]);
    expect(parsed.text?.trim()).toBe(assembleText(edition, mail).trim());
    expect(parsed.html).toBe(html);
  });

  test.each(hostileUrls)("a link with %s is not shown, the edition on the web is", async (_, url) => {
    const edition = await prepared([article(0, { url, origin: { name: "Somewhere", url } })]);
    const html = assembleHtml(edition, readerMail([0]));
    expect(headlines(html)).toEqual([{ title: "Headline 0", url: "https://news.example/editions/2013-12-05" }]);
    const links = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map((match) => match[1]);
    for (const link of links) expect(link).toMatch(/^https:\/\/news\.example\//);
    expect(assembleText(edition, readerMail([0]))).toContain("On the web: Somewhere\n");
  });

  test("a title of nothing visible is shown as its link", async () => {
    const edition = await prepared([article(0, { title: "\u0000\u202e \n" })]);
    expect(headlines(assembleHtml(edition, readerMail([0])))[0]?.title).toBe("https://news.example/a/0");
  });
});
