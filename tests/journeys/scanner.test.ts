import { afterAll, beforeAll, expect, test } from "vitest";
import { sendEveryMail, type EveryMail } from "../support/every-mail.ts";

let mails: EveryMail;
beforeAll(async () => {
  mails = await sendEveryMail();
});
afterAll(() => mails.close());

test("the mails hold every kind of link", () => {
  const all = [...mails.links.values()].flat();
  expect(mails.links.size).toBe(9);
  for (const kind of ["confirm", "preferences", "unsubscribe", "change-address", "keep"]) {
    expect(
      all.some((path) => path.startsWith(`/${kind}/`)),
      kind,
    ).toBe(true);
  }
});

test("nothing that somebody typed is in any mail, but the address it goes to", () => {
  for (const [mail, text] of mails.texts) expect(text, mail).not.toMatch(/spam|pills/i);
  expect([...mails.texts.keys()].some((mail) => mail.startsWith("bob@example.org"))).toBe(true);
});

test("no mail loads anything, and its links lead straight to this site or to the article", () => {
  const article = "https://news.example/1";
  let articles = 0;
  for (const [mail, text] of mails.texts) {
    expect(text, mail).not.toMatch(/\ssrc=|srcset=|<link\b|@import|url\(|background=/i);
    for (const [, href] of text.matchAll(/href="([^"]*)"/g)) {
      if (href === article) articles += 1;
      else expect(href, mail).toMatch(/^(?:#|https:\/\/alerts\.example(?:\/|$))/);
    }
  }
  expect(articles).toBeGreaterThan(0);
});

test.each(["GET", "HEAD"] as const)(
  "a scanner that asks for every link of every mail by %s changes nothing",
  async (method) => {
    const before = await mails.records();
    for (const [mail, links] of mails.links) {
      for (const url of links) {
        const answer = await mails.web.inject({ method, url, headers: { "user-agent": "LinkScanner/1.0" } });
        expect(answer.statusCode, `${url} of ${mail}`).toBe(200);
        expect(answer.headers, url).not.toHaveProperty("set-cookie");
      }
    }
    expect(await mails.records()).toEqual(before);
  },
);
