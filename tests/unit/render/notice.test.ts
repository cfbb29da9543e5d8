import { simpleParser } from "mailparser";
import { expect, test } from "vitest";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkNoticeTemplates, openNoticeBuilder } from "../../../src/render/notice.ts";
import type { NoticeMail } from "../../../src/render/notice-template.ts";
import { publication } from "./mail.ts";

const folder = "templates/email";
const plain: NoticeMail = {
  to: "reader@example.org",
  messageId: "1@example.com",
  date: new Date("2026-11-24T08:00:00Z"),
  subject: "Confirm",
  headline: "Confirm your subscription",
  paragraphs: ["One.", "Two."],
  button: { label: "Confirm", url: "https://alerts.example/confirm/abc" },
  after: ["Three."],
  list: null,
  own: null,
  why: "Because you asked.",
};
const print = async (mail: Partial<NoticeMail>, language = "en") => {
  const raw = await (await openNoticeBuilder(folder, { ...publication, language })).print({ ...plain, ...mail });
  return { raw: raw.toString("latin1"), mail: await simpleParser(raw) };
};

test("both forms hold every part, the text first; who has not said yes is on no list", async () => {
  const { raw, mail } = await print({});
  expect(raw.indexOf("text/plain")).toBeLessThan(raw.indexOf("text/html"));
  for (const part of [
    "Confirm your subscription",
    "One.",
    "Two.",
    "Three.",
    "/confirm/abc",
    "Because you asked.",
    "12 Press Street",
  ]) {
    expect(mail.text, part).toContain(part);
    expect(mail.html, part).toContain(part);
  }
  expect(String(mail.html).match(/<h1/g)).toHaveLength(1);
  expect(raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
  expect(raw).not.toMatch(/^(List-|Precedence)/m);
});

test("the publisher's pages are linked in both forms", async () => {
  const links = [
    { label: "Privacy policy", url: "https://courier.example/privacy" },
    { label: "Legal notice", url: "https://courier.example/imprint" },
  ];
  const raw = await (await openNoticeBuilder(folder, { ...publication, links })).print(plain);
  const mail = await simpleParser(raw);
  for (const { label, url } of links) {
    expect(mail.text).toContain(`${label}: ${url}\n`);
    expect(String(mail.html)).toMatch(new RegExp(`<a href="${url}"[^>]*>${label}</a>`));
  }
});

test("a subscriber's notice can be left with one click", async () => {
  const own = {
    preferences: "https://alerts.example/preferences/p",
    unsubscribe: "https://alerts.example/preferences/p/unsubscribe",
    oneClick: "https://alerts.example/unsubscribe/u",
    mailto: "mailto:bounce+u@alerts.example?subject=unsubscribe",
  };
  const { raw, mail } = await print({ own });
  expect(raw).toMatch(/^List-Unsubscribe: <https:\/\/alerts\.example\/unsubscribe\/u>,\r$/m);
  expect(raw).toContain(`\n <${own.mailto}>\r\n`);
  expect(raw).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
  expect(mail.text).toContain(own.preferences);
  expect(mail.text).toContain(own.unsubscribe);
  expect(`${mail.text}${String(mail.html)}`).not.toContain(own.oneClick);
});

test("hostile headlines and tags come out inert, and add no header", async () => {
  const bad = '</mj-text></mjml>{{ 7 | times: 6 }}<script>alert(1)</script>"\r\nBcc: x@example.org';
  const { raw, mail } = await print({
    subject: bad,
    headline: bad,
    paragraphs: [bad],
    list: { title: bad, articles: [{ title: bad, url: "https://news.example/1" }] },
  });
  expect(mail.html).not.toContain("<script>");
  expect(mail.text).toContain("{{ 7 | times: 6 }}");
  expect(raw).not.toMatch(/^Bcc:/im);
  expect(mail.headers.has("bcc")).toBe(false);
});

test("a template without a part that it must have is refused, by name", async () => {
  const copy = mkdtempSync(join(tmpdir(), "dayletter-notice-"));
  try {
    for (const name of ["notice.mjml", "notice.txt"]) {
      const source = readFileSync(join(folder, name), "utf8");
      writeFileSync(join(copy, name), name === "notice.txt" ? source.replace("{{ button.url }}", "") : source);
    }
    await expect(checkNoticeTemplates(copy)).rejects.toMatchObject({
      code: "template_value_missing",
      details: { file: expect.stringMatching(/notice\.txt$/), value: "{{ button.url }}" },
    });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
