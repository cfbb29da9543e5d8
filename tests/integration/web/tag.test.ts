import { simpleParser } from "mailparser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claim } from "../../../src/deliveries/claims.ts";
import { addFeeds } from "../../../src/sources/store.ts";
import { pollAll } from "../../../src/sources/poll.ts";
import { handleSignups, requestSignup } from "../../../src/subscribers/signup.ts";
import { findByAddress } from "../../../src/subscribers/store.ts";
import { linkToken } from "../../../src/subscribers/tokens.ts";
import { type FeedServer, startFeed } from "../../support/feed-server.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";
import { noLimits } from "../../support/no-limits.ts";

let site: OpenWeb;
const get = (url: string) => site.inject({ method: "GET", url });
const long = "가".repeat(60);
const names = [
  "lg u+",
  "c++",
  "a/b",
  "한국",
  "👩‍🚀",
  "100%",
  "%2F",
  "Seoul, Korea",
  "what?#",
  "q&a",
  ".",
  "..",
  "a/../b",
  long,
];

/** What a browser shows for a text of the page. */
const escaped = (raw: string) => raw.replaceAll("&", "&amp;");

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
    // As a browser follows the link, which takes dot segments for steps of the path.
    const link = new RegExp(
      `href="([^"]+)"[^>]*>(?:<bdi[^>]*>)?${escaped(name).replaceAll(/[.+?*|()[\]{}^$\\]/g, "\\$&")}<`,
    ).exec((await get("/editions/2026-11-24")).body)![1]!;
    const { pathname, search } = new URL(link.replaceAll("&amp;", "&"), "https://alerts.example.com/editions/2026");
    const page = await get(pathname + search);
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain(`>${escaped(name)}</h1>`);
    expect(page.body.match(/News \d+ of it/g)).toEqual([`News ${i} of it`]);
    expect(page.body).toContain(`href="/subscribe?tags=${encodeURIComponent(name)}"`);
    expect(page.body).toContain('href="/editions/2026-11-24"');
    for (const query of [`tag=${encodeURIComponent(name)}`, `tags=${encodeURIComponent(name)}`]) {
      const sample = (await get(`/sample.txt?${query}`)).body;
      expect([...new Set(sample.match(/News \d+ of it/g))]).toEqual([`News ${i} of it`]);
      expect(sample.replaceAll("\n", " ")).toContain(`1 article on ${name}`);
    }
  });

  test("the email and the preferences page show all tags", async () => {
    const builder = (await site.app.builder(1))!;
    const now = site.app.clock.now();
    const { claimed } = await site.app.db
      .transaction()
      .execute((tx) => claim(tx, { editionId: 1, slice: 0, rooms: noLimits, sender: site.app.sender, count: 10, now }));
    const mail = await simpleParser(builder.print(claimed[0]!, now));
    const { key } = (await findByAddress(site.app.db, "ada@example.com"))!;
    const preferences = await get(`/preferences/${linkToken(site.app.options.secret, "preferences", key)}`);
    const text = mail.text!.replaceAll(/\s+/g, " ");
    for (const name of names) {
      expect(text).toContain(`Tags: ${name} · common`);
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

  test("shows what is public, newest first", async () => {
    const { body } = await get("/tags/Huawei");
    expect(body.match(/Using &lt;T&gt;|Headline \d/g)).toEqual(["Using &lt;T&gt;", "Headline 2"]);
    expect(body).toContain("Friday, 20 November 2026");
    expect((await get("/tags/c")).body).toContain(textOf("tag.no_articles"));
  });

  test.each([
    [`/tags/${encodeURIComponent("화웨이")}`, "/tags/Huawei"],
    ["/tags/huawei", "/tags/Huawei"],
    ["/tags/A%2FB", "/tags/a%2Fb"],
    ["/tags/A/B", "/tags/a%2Fb"],
    ["/tags/?tag=A%2FB", "/tags/a%2Fb"],
  ])("%s leads to its own address", async (path, to) => {
    const answer = await get(path);
    expect([answer.statusCode, answer.headers["location"]]).toEqual([302, to]);
  });

  test.each(["/tags/nonsense", "/tags/", `/tags/${"x".repeat(2_000)}`])(
    "%s is no tag, and others are offered",
    async (path) => {
      const answer = await get(path);
      expect(answer.statusCode).toBe(404);
      expect(answer.body).toContain('href="/tags/a%2Fb"');
      expect(answer.body).not.toContain("></b>");
    },
  );

  test("accepts only GET and HEAD", async () => {
    const answer = await site.inject({ method: "POST", url: "/tags/a%2Fb" });
    expect([answer.statusCode, answer.headers["allow"]]).toEqual([405, "GET, HEAD"]);
  });

  test("shows nothing of a held edition or of one cancelled before it was sent", async () => {
    await site.api("POST", "/editions");
    expect((await get("/tags/a%2Fb")).body).toContain("Using");
    await site.api("POST", "/editions/2026-11-24/cancel");
    expect((await get("/tags/a%2Fb")).body).not.toContain("Using");
    expect((await get("/sample")).body).not.toContain("Using");
  });
});

describe("a tag that an operator changes", () => {
  interface Listed {
    name: string;
    aliases: string[];
    readers: number;
    hiddenAt: string | null;
    revision: number;
  }
  const listed = async (name: string): Promise<Listed> => {
    const { tags } = (await site.api("GET", "/tags")).json<{ tags: Listed[] }>();
    return tags.find((tag) => tag.name === name)!;
  };
  const add = (address: string, tags: string[], more: object = {}) =>
    site.api("POST", "/subscribers", { address, tags, confirmed: true, consent: { method: "test" }, ...more });
  const audit = () => site.app.db.selectFrom("audit").select(["action", "subject", "detail"]).orderBy("id").execute();
  const preferencesOf = async (address: string): Promise<string> =>
    `/preferences/${linkToken(site.app.options.secret, "preferences", (await findByAddress(site.app.db, address))!.key)}`;
  const form = (url: string, fields: [string, string][]) =>
    site.inject({
      method: "POST",
      url,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      payload: new URLSearchParams(fields).toString(),
    });

  beforeAll(async () => {
    site = await openWeb();
    await site.api("POST", "/articles", [
      article(1, ["lg u+", "internal"]),
      article(2, ["internal"]),
      article(3, ["Korea"]),
    ]);
    await add("both@example.com", ["lg u+", "internal"]);
    await add("only@example.com", ["internal"]);
    await add("all@example.com", [], { allTags: true });
    await site.api("POST", "/tags/alias", { alias: "intern", tag: "internal" });
  });
  afterAll(() => site.close());

  test("renamed: readers, feeds and links follow the new name", async () => {
    const rename = (from: string, to: string, more: object = {}) =>
      site.api("POST", "/tags/rename", { from, to, ...more });
    expect((await rename("lg u+", "LG U+")).json()).toMatchObject({ name: "LG U+", changed: true });
    expect(await listed("LG U+")).toMatchObject({ aliases: [], readers: 1 });
    const { revision } = await listed("LG U+");
    const two = await Promise.all(["One", "Two"].map((to) => rename("LG U+", to, { revision })));
    const [won, lost] = two.toSorted((a, b) => a.statusCode - b.statusCode);
    const { name } = won!.json<{ name: string }>();
    expect([won!.statusCode, lost!.statusCode]).toEqual([200, 409]);
    expect(lost!.json().detail).toBe(textOf("error.tag_named_by_alias", { alias: "LG U+", tag: name }));
    expect((await rename("LG U+", name)).json()).toMatchObject({ name, changed: false });
    await rename(name, "LG Uplus");
    expect((await rename("LG Uplus", "LG+", { revision })).json().detail).toBe(
      textOf("error.tag_changed", { tag: "LG Uplus" }),
    );
    const taken = await rename("LG Uplus", "korea");
    expect([taken.statusCode, taken.json().detail]).toEqual([
      409,
      textOf("error.tag_alias_exists", { name: "korea", other: "Korea", tag: "LG Uplus" }),
    ]);
    await site.api("POST", "/articles", article(4, ["LG U+"]));
    expect((await get("/tags/LG%20Uplus")).body.match(/Headline \d/g)).toEqual(["Headline 4", "Headline 1"]);
    expect((await get("/tags/lg%20u%2B")).headers["location"]).toBe("/tags/LG%20Uplus");
    expect((await get("/subscribe?tags=lg+u%2B")).body).toContain('value="LG Uplus"');
    expect((await rename("LG Uplus", "lg u+")).json()).toMatchObject({ name: "lg u+", changed: true });
    expect(await listed("lg u+")).toMatchObject({ aliases: ["LG Uplus", name], readers: 1 });
    expect((await audit()).filter(({ action }) => action === "tag rename").at(-1)).toEqual({
      action: "tag rename",
      subject: "LG Uplus",
      detail: { before: "LG Uplus", after: "lg u+" },
    });
  });

  test("hidden: it is no longer offered or shown, immediately", async () => {
    expect((await get("/subscribe")).body).toContain('value="internal"');
    const hidden = await site.api("POST", "/tags/hide", { tag: "Internal" });
    expect(hidden.json()).toMatchObject({
      tag: "internal",
      changed: true,
      readers: 2,
      onlyThis: 1,
      waiting: 2,
      waitingOnly: 1,
    });
    expect((await site.api("POST", "/tags/hide", { tag: "internal" })).json()).toMatchObject({ changed: false });
    for (const url of [
      "/subscribe?tags=internal,intern",
      "/",
      "/subscribe/tags?q=intern",
      "/sample",
      "/tags/lg%20u%2B",
    ])
      expect((await get(url)).body, url).not.toContain("intern");
    const page = await get("/tags/intern");
    expect([page.statusCode, page.body]).toEqual([404, expect.stringContaining(textOf("tag.hidden_title"))]);
    expect(page.body).toContain('href="/tags/Korea"');
    expect((await get("/sample?tags=internal")).statusCode).toBe(404);
    expect((await get("/embed.js")).body).toContain('"hidden":["intern","internal"]');
    const { articles } = (await site.api("GET", "/editions/next")).json();
    expect(articles.flatMap(({ tags }: { tags: string[] }) => tags).toSorted()).toEqual(["Korea", "lg u+", "lg u+"]);
    expect((await site.api("GET", "/editions/next/preview?tags=internal")).json().code).toBe("preview_tag_hidden");
    expect((await audit()).at(-1)).toMatchObject({
      action: "tag hide",
      subject: "internal",
      detail: { before: "shown", after: "hidden", readers: 2 },
    });
  });

  test("hidden: a form on an article page still works with the other tags of the page", async () => {
    const send = (tags: string[]) =>
      site.inject({
        method: "POST",
        url: "/subscribe",
        payload: { address: "new@example.com", tags, website: "", t: "" },
      });
    const alone = await send(["internal"]);
    expect(alone.json()).toMatchObject({ status: 422, details: { field: "tags", unknown: ["internal"] } });
    await requestSignup(site.app, {
      address: "new@example.com",
      tags: ["Korea", "intern"],
      allTags: false,
      timezone: null,
      formUrl: null,
      from: null,
    });
    await handleSignups(site.app);
    expect(await findByAddress(site.app.db, "new@example.com")).toMatchObject({ tags: ["Korea"] });
  });

  test("hidden: readers keep it when they change their other tags", async () => {
    const path = await preferencesOf("both@example.com");
    const { body } = await get(path);
    expect(body).not.toContain('value="internal"');
    expect(body).toContain("It is not available at the moment");
    expect((await form(path, [["tags", "Korea"]])).statusCode).toBe(303);
    expect(await findByAddress(site.app.db, "both@example.com")).toMatchObject({
      tags: ["internal", "Korea"],
      hiddenTags: ["internal"],
    });
  });

  test("hidden: nobody gets its articles, and its readers get them again when it is shown", async () => {
    const readersOf = async (name: string): Promise<string[]> => {
      const { deliveries } = (await site.api("GET", `/editions/${name}/deliveries`)).json();
      return deliveries.map(({ address }: { address: string }) => address).toSorted();
    };
    await site.api("POST", "/editions");
    await site.render(1);
    expect(await readersOf("2026-11-24")).toEqual(["all@example.com", "both@example.com"]);
    const web = (await get("/editions/2026-11-24")).body;
    expect(web).toContain("Headline 2");
    expect(web).not.toContain("internal");
    const { id } = (await site.api("POST", "/subscribers/lookup", { address: "only@example.com" })).json();
    const why = (await site.api("GET", `/subscribers/${id}/why?date=2026-11-24`)).json();
    expect(why.sentence).toContain(textOf("why.hidden_tag", { tag: "internal" }));

    expect((await site.api("POST", "/tags/unhide", { tag: "internal" })).json()).toMatchObject({ changed: true });
    expect((await get("/subscribe")).body).toContain('value="internal"');
    await site.api("POST", "/articles", article(5, ["internal"]));
    await site.api("POST", "/editions", { extra: true });
    await site.render(2);
    expect(await readersOf("2026-11-24.2")).toEqual(["all@example.com", "both@example.com", "only@example.com"]);
    await site.api("POST", "/tags/hide", { tag: "internal" });
    expect((await get("/editions/2026-11-24.2")).body).toContain("internal");
    expect(await readersOf("2026-11-24.2")).toHaveLength(3);
  });
});
