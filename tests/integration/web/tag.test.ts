import { simpleParser } from "mailparser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claim } from "../../../src/deliveries/store.ts";
import { addFeeds } from "../../../src/sources/store.ts";
import { pollAll } from "../../../src/sources/poll.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { linkToken } from "../../../src/subscribers/tokens.ts";
import { startFeed, type FeedServer } from "../../support/feed-server.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
const get = (url: string) => site.inject({ method: "GET", url });
const long = "가".repeat(60);
const names = ["lg u+", "c++", "a/b", "한국", "👩‍🚀", "100%", "%2F", "Seoul, Korea", "what?#", "q&a", long];

/** What a browser shows for a text of the page. */
const escaped = (text: string) => text.replaceAll("&", "&amp;");

describe("a tag goes all the way", () => {
  let feed: FeedServer;
  beforeAll(async () => {
    const clock = new Date("2026-11-24T07:00:00Z");
    feed = await startFeed(
      names.map((tag, i) => ({ id: `a${i}`, title: `News ${i} of it`, tags: [tag, "common"], at: clock })),
    );
    site = await openWeb({ ALLOW_PRIVATE_SOURCES: "1" });
    const { db, clock: now } = site.app;
    await addFeeds(db, [{ url: feed.url }], now.now());
    await pollAll(site.app, 10_000);
    await site.api("POST", "/subscribers", {
      address: "ada@example.com",
      tags: names,
      confirmed: true,
      consent: { method: "test" },
    });
    await site.api("POST", "/editions");
    await site.render(1);
  });
  afterAll(async () => {
    await site?.close();
    await feed?.close();
  });

  test.each(names.map((name, i) => [name, i] as const))("%s: its page, its sample copy", async (name, i) => {
    const path = `/tags/${encodeURIComponent(name)}`;
    const page = await get(path);
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain(`>${escaped(name)}</h1>`);
    expect(page.body.match(/News \d+ of it/g)).toEqual([`News ${i} of it`]);
    expect(page.body).toContain(`href="/subscribe?tags=${encodeURIComponent(name)}"`);
    expect(page.body).toContain('href="/editions/2026-11-24"');
    expect((await get("/editions/2026-11-24")).body).toContain(`href="${path}"`);
    for (const query of [`tag=${encodeURIComponent(name)}`, `tags=${encodeURIComponent(name)}`]) {
      const sample = (await get(`/sample.txt?${query}`)).body;
      expect(sample.match(/News \d+ of it/g)).toEqual([`News ${i} of it`]);
      expect(sample.replaceAll("\n", " ")).toContain(`1 article on ${name}`);
    }
  });

  test("the mail and the page of preferences name them all", async () => {
    const press = (await site.app.press(1))!;
    const now = site.app.clock.now();
    const { claimed } = await site.app.db
      .transaction()
      .execute((tx) => claim(tx, { editionId: 1, slice: 0, sender: site.app.sender, count: 10, now }));
    const mail = await simpleParser(press.print(claimed[0]!, now));
    const { key } = (await findByAddress(site.app.db, "ada@example.com"))!;
    const preferences = await get(`/preferences/${linkToken(site.app.options.secret, "preferences", key)}`);
    for (const name of names) {
      expect(mail.text).toContain(`Tags: ${name} · common`);
      expect(mail.html).toContain(`Tags: ${escaped(name)} · common`);
      expect(preferences.body).toContain(`value="${escaped(name)}" checked> <span>${escaped(name)}</span>`);
    }
  });
});

describe("a tag's page", () => {
  beforeAll(async () => {
    site = await openWeb();
    await site.api("POST", "/articles", [
      article(1, ["Huawei", "a/b"], { title: "Using <T>" }),
      article(2, ["Huawei"], { publishedAt: "2026-11-20T08:00:00Z" }),
      article(3, ["Huawei"], { publishedAt: "2026-12-20T08:00:00Z" }),
      article(4, ["Huawei", "c"]),
    ]);
    await site.api("POST", "/articles/4/hide");
    await site.api("POST", "/tags/alias", { alias: "화웨이", tag: "Huawei" });
  });
  afterAll(() => site.close());

  test("has what anybody may see, newest first", async () => {
    const { body } = await get("/tags/Huawei");
    expect(body.match(/Using &lt;T&gt;|Headline \d/g)).toEqual(["Using &lt;T&gt;", "Headline 2"]);
    expect(body).toContain("Friday, November 20, 2026");
    expect((await get("/tags/c")).body).toContain("No article has this tag at the moment.");
  });

  test.each([
    [`/tags/${encodeURIComponent("화웨이")}`, "/tags/Huawei"],
    ["/tags/huawei", "/tags/Huawei"],
    ["/tags/A%2FB", "/tags/a%2Fb"],
    ["/tags/A/B", "/tags/a%2Fb"],
  ])("%s leads to its own address", async (path, to) => {
    const answer = await get(path);
    expect([answer.statusCode, answer.headers["location"]]).toEqual([302, to]);
  });

  test.each(["/tags/nonsense", "/tags/", `/tags/${"x".repeat(2_000)}`, "/tags/%00"])(
    "%s is no tag, and others are offered",
    async (path) => {
      const answer = await get(path);
      expect(answer.statusCode).toBe(404);
      expect(answer.body).toContain('href="/tags/a%2Fb"');
    },
  );

  test("takes nothing but looking", async () => {
    const answer = await site.inject({ method: "POST", url: "/tags/a%2Fb" });
    expect([answer.statusCode, answer.headers["allow"]]).toEqual([405, "GET, HEAD"]);
  });

  test("an edition that is held back or cancelled before it goes out shows nothing of itself", async () => {
    await site.api("POST", "/editions");
    expect((await get("/tags/a%2Fb")).body).toContain("Using");
    await site.api("POST", "/editions/2026-11-24/cancel");
    expect((await get("/tags/a%2Fb")).body).not.toContain("Using");
    expect((await get("/sample")).body).not.toContain("Using");
  });
});
