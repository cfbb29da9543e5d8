import { simpleParser } from "mailparser";
import width from "string-width";
import { describe, expect, test } from "vitest";
import { assemble, assembleHtml, assembleText, subjectLine } from "../../../src/render/assemble.ts";
import { wrap } from "../../../src/render/plain.ts";
import { article, prepared, readerMail } from "./mail.ts";
import { expectWireSafe } from "./wire.ts";

const hebrew = "חדשות הטלקום";
const korean = {
  title: "삼성전자, 5세대 이동통신 장비 공급 계약을 체결했다고 발표",
  summary: "국내 통신 삼사는 올해 하반기부터 새로운 주파수 대역에서 기지국을 늘려 나갈 계획이라고 밝혔다. "
    .repeat(4)
    .trim(),
  tags: ["삼성전자", "이동통신"],
};
const chinese =
  "华为与运营商签署了下一代移动通信网络的供应合同，并表示将在年底之前完成首批基站的建设工作，以便尽快提供服务。";
const japanese =
  "通信大手は来年度から新しい周波数帯の基地局を増やす計画だと発表した。「サービスを早く提供したい」と述べている。";

describe("text that goes from right to left", () => {
  test("is isolated in the subject beside other words, and alone stays as it is", async () => {
    const edition = await prepared([article(0, { title: hebrew }), article(1)]);
    expect(subjectLine(edition, readerMail([0, 1]))).toBe(`\u2068${hebrew}\u2069, and 1 more`);
    expect(subjectLine(edition, readerMail([0]))).toBe(hebrew);
    expect(subjectLine(edition, readerMail([1, 0]))).toBe("Headline 1, and 1 more");
    const long = await prepared([article(0, { title: `${hebrew} `.repeat(20) }), article(1)]);
    const subject = subjectLine(long, readerMail([0, 1]));
    expect(subject).toMatch(/^\u2068[^\u2068\u2069]*\u2069, and 1 more$/);
    expect(subject.length).toBeLessThanOrEqual(120);
  });

  test("is isolated in tags and source lines, in both forms", async () => {
    const origin = { name: hebrew, url: null };
    const edition = await prepared([article(0, { tags: [hebrew, "lg u+"], origin })]);
    const mail = readerMail([0], { matchedTags: [hebrew, "lg u+"] });
    const html = assembleHtml(edition, mail);
    expect(html).toContain(`<bdi>${hebrew}</bdi> \u00b7 lg u+`);
    expect(html).toContain(`On the web: <bdi>${hebrew}</bdi>`);
    expect(html).toContain(`you follow <bdi>${hebrew}</bdi>, lg u+.`);
    expect(html).not.toMatch(/[\u2066-\u2069]/);
    const text = assembleText(edition, mail);
    expect(text).toContain(`\u2068${hebrew}\u2069 \u00b7 lg u+`);
    expect(text).toContain(`On the web: \u2068${hebrew}\u2069`);
    expect(text).toContain(`you follow \u2068${hebrew}\u2069, lg u+.`);
  });

  test("isolates the names of the other direction too", async () => {
    const edition = await prepared([article(0, { tags: ["lg u+", "5g"] })], { publication: { language: "he" } });
    expect(assembleHtml(edition, readerMail([0]))).toContain("<bdi>lg u+</bdi> \u00b7 <bdi>5g</bdi>");
  });

  test("is aligned right as a headline", async () => {
    const edition = await prepared([article(0, { title: `"${hebrew}" 5G` }), article(1)]);
    const headlines = assembleHtml(edition, readerMail([0, 1])).match(/<h2[^>]*>/g);
    expect(headlines?.map((tag) => [/dir="(\w+)"/.exec(tag)?.[1], /text-align:(\w+)/.exec(tag)?.[1]])).toEqual([
      ["rtl", "right"],
      ["ltr", undefined],
    ]);
  });
});

describe("a script without spaces", () => {
  test.each([chinese.repeat(3), japanese.repeat(3), `LG U+ ${chinese} (5G) ${japanese}`])("%s is wrapped", (text) => {
    const lines = wrap(text, 72).split("\n");
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) {
      expect(width(line)).toBeLessThanOrEqual(72);
      expect(line).not.toMatch(/^[、。，．」』）：；？！ー]|[「『（]$/);
    }
    expect(Math.min(...lines.slice(0, -1).map((line) => width(line)))).toBeGreaterThan(50);
    expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
  });

  test("does not change how Korean is wrapped: at spaces, by its width", () => {
    const lines = wrap(korean.summary, 72).split("\n");
    expect(lines.join(" ")).toBe(korean.summary);
    for (const line of lines) expect(width(line)).toBeLessThanOrEqual(72);
  });
});

describe("Korean words", () => {
  test("stay whole in a publication of any language, and Chinese ones may break", async () => {
    const edition = await prepared([article(0, korean), article(1, { title: chinese, summary: "" }), article(2)]);
    const html = assembleHtml(edition, readerMail([0, 1, 2]));
    const breaks = [...html.matchAll(/<h2[^>]*>/g)].map(([tag]) => /word-break:([\w-]+)/.exec(tag)?.[1]);
    expect(breaks).toEqual(["keep-all", "normal", undefined]);
    expect(html.match(/<p dir="auto"[^>]*word-break:keep-all[^>]*>국내/g)).toHaveLength(1);
  });
});

describe("the encoding of a body part", () => {
  const encodings = (message: Buffer): string[] =>
    [...message.toString("latin1").matchAll(/^Content-Transfer-Encoding: (.*)\r$/gm)].map(([, name]) => name ?? "");

  test("is base64 where that is smaller, and reads the same", async () => {
    const articles = Array.from({ length: 6 }, (_, i) => article(i, { ...korean, title: `${korean.title} ${i}` }));
    const edition = await prepared(articles, { publication: { language: "ko", name: "통신 일보" } });
    for (const mail of [readerMail([0, 1, 2, 3, 4, 5], { matchedTags: ["삼성전자"] }), readerMail([3], { more: 2 })]) {
      const message = assemble(edition, mail);
      expectWireSafe(message);
      expect(encodings(message)[0]).toBe("base64");
      const parsed = await simpleParser(message);
      expect(parsed.text?.trim()).toBe(assembleText(edition, mail).trim());
      expect(parsed.html).toBe(assembleHtml(edition, mail));
      expect(parsed.text).toContain(mail.links.unsubscribe);
      expect(parsed.html).toContain(mail.links.unsubscribe);
    }
  });

  test("stays quoted-printable for Latin text", async () => {
    const edition = await prepared([article(0, { summary: "Überraschung in Köln" })]);
    expect(encodings(assemble(edition, readerMail([0])))).toEqual(["quoted-printable", "quoted-printable"]);
  });
});
