import { simpleParser } from "mailparser";
import { describe, expect, test } from "vitest";
import { assemble, assembleHtml, assembleText, prepare, subjectLine } from "../../../src/render/assemble.ts";
import { senderOf } from "../../../src/render/publication.ts";
import { article, prepared, publication, readerMail } from "./mail.ts";

const three = [article(0), article(1), article(2)];
const links = readerMail([]).links;

describe("a reader's mail", () => {
  test("begins with what is in it, in both forms", async () => {
    const edition = await prepared(three);
    const mail = readerMail([0, 1, 2]);
    const shown = assembleHtml(edition, mail)
      .replace(/^[\s\S]*?<body/, "<body")
      .replace(/<[^>]*>/g, " ");
    expect(shown.trim()).toMatch(/^Headline 1 \u00b7 Headline 2\s+Telecom Courier\s+Thursday/);
    expect(assembleText(edition, mail)).toMatch(/^Headline 1 \u00b7 Headline 2\n/);
    expect(assembleHtml(edition, readerMail([2]))).toContain('<span dir="auto">Headline 2</span>');
    expect(assembleHtml(edition, mail)).not.toMatch(/display:\s*none|font-size:\s*1px|opacity/);
  });

  test("has the logo above its name, which stays a text", async () => {
    const logo = { url: "https://news.example/assets/logo.png", width: 96, height: 48 };
    const mail = readerMail([0]);
    const html = assembleHtml(await prepared(three, { publication: { logo } }), mail);
    expect(html).toMatch(
      /<img\s+alt="" src="https:\/\/news\.example\/assets\/logo\.png"[^>]*width="96"[^>]*>[^]*<h1[^>]*>Telecom/,
    );
    expect(html.length - assembleHtml(await prepared(three), mail).length).toBeLessThan(1_200);
  });

  test.each(["html", "text"] as const)("says in %s who it is from, why it came and how to stop it", async (form) => {
    const show = form === "html" ? assembleHtml : assembleText;
    const body = show(await prepared(three), readerMail([0, 2], { more: 1 }));
    for (const url of [links.preferences, links.unsubscribe]) {
      expect(body.match(new RegExp(`${url}(?![\\w/])`, "g"))).toHaveLength(form === "html" ? 2 : 1);
      if (form === "text") expect(body.indexOf(url)).toBeGreaterThan(body.lastIndexOf("Headline 2"));
    }
    expect(body).not.toContain(links.oneClick);
    expect(body).toContain("You get this email because you follow huawei, Korea.");
    expect(body).toContain("reader@mail.example");
    expect(body).toContain("Telecom Courier, 12 Press Street, Springfield 12345");
    expect(body).toContain("Thursday, 5 December 2013");
    expect(body).toContain("On the web: Korea JoongAng Daily");
    expect(body).toContain("Tags: lg u+ \u00b7 huawei \u00b7 Korea");
    expect(body).toContain("1 more article");
    expect(body).toContain(form === "html" ? links.moreUrl.replace("&", "&amp;") : links.moreUrl);
    expect(body).toContain("3 articles on huawei, Korea");
    expect(body).not.toContain("Headline 1");
    expect(body.lastIndexOf("Headline 0")).toBeLessThan(body.lastIndexOf("Headline 2"));
  });

  test.each(["html", "text"] as const)("links in %s to the publisher's pages, if there are any", async (form) => {
    const show = form === "html" ? assembleHtml : assembleText;
    const pages = [
      { label: "Privacy & cookies", url: "https://courier.example/privacy?a=1" },
      { label: "Impressum", url: "https://courier.example/imprint" },
    ];
    const bodyWith = async (shown: typeof pages) =>
      show(await prepared(three, { publication: { links: shown } }), readerMail([0]));
    const body = await bodyWith(pages);
    for (const { url } of pages) expect(body.split(url)).toHaveLength(2);
    expect(body).toContain(form === "html" ? "Privacy &amp; cookies</a>" : "Privacy & cookies: https://courier");
    expect(body.indexOf(pages[0]!.url)).toBeGreaterThan(body.indexOf("Springfield"));
    const own = await bodyWith(pages.slice(1));
    expect(own).toContain(pages[1]!.url);
    expect(own).not.toContain("cookies");
  });

  test("gives the reader's first article the large headline, whichever it is", async () => {
    const html = assembleHtml(await prepared(three), readerMail([1, 2]));
    const sizes = [...html.matchAll(/<h2[^>]*font-size:(\d+)px[^>]*><a[^>]*>([^<]*)/g)].map(([, size, title]) => [
      title,
      size,
    ]);
    expect(sizes).toEqual([
      ["Headline 1", "28"],
      ["Headline 2", "20"],
    ]);
  });

  test("shows headlines as links", async () => {
    const html = assembleHtml(await prepared(three), readerMail([0, 1]));
    for (const [link] of html.matchAll(/(?<=<h2[^>]{0,300}>)<a [^>]*>/g)) {
      expect(link).not.toContain("text-decoration:none");
      expect(link).toContain(`color:${publication.accentColour}`);
    }
  });

  test("has no line about more where there is no more", async () => {
    const edition = await prepared(three);
    expect(assembleText(edition, readerMail([0]))).not.toContain("more");
    expect(assembleHtml(edition, readerMail([0]))).not.toContain("on the web");
  });

  test("puts text before HTML and carries the fields of bulk mail once each", async () => {
    const message = assemble(await prepared(three), readerMail([0]));
    const raw = message.toString("latin1");
    expect(raw.indexOf("text/plain")).toBeLessThan(raw.indexOf("text/html"));
    const parsed = await simpleParser(message);
    const value = (name: string): string[] =>
      parsed.headerLines.filter(({ key }) => key === name).map(({ line }) => line.replace(/^[^:]*: /, ""));
    expect(value("list-unsubscribe")).toEqual([`<${links.oneClick}>,\r\n <${links.mailto}>`]);
    expect(value("list-unsubscribe-post")).toEqual(["List-Unsubscribe=One-Click"]);
    expect(value("message-id")).toEqual(["<20131205.1.k3j5@courier.example>"]);
    expect(value("feedback-id")).toEqual(["2013-12-05-1:edition:daily.courier.example:courierexample"]);
    expect(parsed.date).toEqual(new Date("2013-12-05T07:00:00Z"));
  });

  test("is the same bytes each time, from a stencil rendered again", async () => {
    const mail = readerMail([0, 1]);
    expect(assemble(await prepared(three), mail).equals(assemble(await prepared(three), mail))).toBe(true);
  });

  test("is sound HTML for a screen reader, and asks no third party for anything", async () => {
    const html = assembleHtml(await prepared(three, { publication: { language: "ko" } }), readerMail([0, 1]));
    expect(html).toMatch(/<html lang="ko" dir="ltr"/);
    expect(html).toContain("<title>Telecom Courier, 2013\ub144 12\uc6d4 5\uc77c \ubaa9\uc694\uc77c</title>");
    expect(html.match(/<h1/g)).toHaveLength(1);
    for (const table of html.match(/<table[^>]*>/g) ?? []) expect(table).toContain('role="presentation"');
    expect(html).not.toMatch(/<link|<img|@import|url\(|src=/);
    expect(html).toContain("prefers-color-scheme: dark");
  });

  test("goes from right to left where the language does", async () => {
    const html = assembleHtml(await prepared(three, { publication: { language: "ar" } }), readerMail([0]));
    expect(html).toMatch(/<html lang="ar" dir="rtl"/);
    expect(html).toContain("text-align:right");
    expect(html).not.toContain("direction:ltr");
  });
});

describe("a sample copy", () => {
  test("says so, and its links do nothing", async () => {
    const edition = await prepared(three, { mode: "sample" });
    const mail = readerMail([0, 1]);
    for (const body of [assembleHtml(edition, mail), assembleText(edition, mail), assemble(edition, mail).toString()]) {
      expect(body).not.toContain("/unsubscribe/");
      expect(body).not.toContain("/preferences/");
      expect(body).not.toContain("List-Unsubscribe");
    }
    expect(assembleText(edition, mail)).toContain("This is a sample copy.");
    expect(subjectLine(edition, mail)).toBe("Sample copy: Headline 0, and 1 more");
  });
});

describe("the subject", () => {
  const long = "A headline of many words ".repeat(20);
  test.each([
    ["Headline", [0], 0, "Headline"],
    ["Headline", [0, 1, 2], 0, "Headline, and 2 more"],
    ["Headline", [0, 1], 30, "Headline, and 31 more"],
    [long, [0, 1], 0, /^A headline of .*words\u2026, and 1 more$|^A headline of .*\u2026, and 1 more$/],
  ])("of %j and the positions %j with %d more", async (title, positions, more, wanted) => {
    const edition = await prepared([article(0, { title }), article(1), article(2)]);
    const subject = subjectLine(edition, readerMail(positions, { more }));
    expect(subject).toMatch(typeof wanted === "string" ? new RegExp(`^${wanted}$`) : wanted);
    expect(subject.length).toBeLessThanOrEqual(120);
  });
});

describe("a stencil", () => {
  test("of another version is refused rather than misread", async () => {
    const { stencil } = await prepared(three);
    expect(() => prepare({ ...stencil, version: 0 }, senderOf(publication, { date: "2013-12-05", number: 1 }))).toThrow(
      expect.objectContaining({ status: 409, code: "stencil_outdated" }),
    );
  });

  test("without the position asked for gives no mail", async () => {
    const edition = await prepared(three);
    expect(() => assemble(edition, readerMail([0, 7]))).toThrow(
      expect.objectContaining({ code: "edition_position_not_found", details: { position: 7 } }),
    );
  });
});
