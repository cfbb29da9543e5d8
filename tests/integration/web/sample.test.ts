import { readFileSync } from "node:fs";
import { join } from "node:path";
import { simpleParser } from "mailparser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../src/package-root.ts";
import { formTime } from "../../../src/abuse/forms.ts";
import { claim } from "../../../src/deliveries/claims.ts";
import { sampleReader } from "../../../src/editions/sample.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";
import { textOf } from "../../support/text.ts";
import { noLimits } from "../../support/no-limits.ts";

let site: OpenWeb;
const get = (url: string) => site.inject({ method: "GET", url });
const logoFile = join(packageRoot, "tests/fixtures/logo.png");
const tagged = "/sample?tags=lg%20u%2B,huawei";

/** The tests follow each other: a server without articles, then with some, then with editions. */
describe("sample copies", () => {
  beforeAll(async () => {
    site = await openWeb({ PUBLICATION_LOGO: logoFile });
  });
  afterAll(() => site.close());

  test("without articles the page offers the next step", async () => {
    const page = await get("/sample");
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain(textOf("sample.empty"));
    expect(page.body).toContain('href="/subscribe"');
    expect((await get("/sample.txt")).statusCode).toBe(404);
  });

  test("before the first edition a sample has the newest articles, without claiming them", async () => {
    await site.api("POST", "/articles", [
      article(1, ["lg u+", "huawei", "Korea"], { origin: { name: "JoongAng", url: "https://joongang.example/" } }),
      article(2, ["LG U+"], { summary: "" }),
      article(3, ["spectrum"]),
      article(4, ["Korea"], { publishedAt: "2026-11-20T08:00:00Z" }),
      article(5, ["later"], { publishedAt: "2026-12-24T08:00:00Z" }),
    ]);
    const page = await get("/sample");
    expect(page.body).toContain(textOf("sample.why_first"));
    const plain = (await get("/sample.txt")).body;
    expect(plain).toContain(textOf("mail.sample_note"));
    for (const n of [1, 2, 3, 4]) expect(plain).toContain(`Headline ${n}`);
    expect(plain).not.toContain("Headline 5");
    expect((await get("/sample?tag=later&view=text")).body).toContain(textOf("sample.none_recent", { count: 1 }));
    expect((await get("/sample.txt?tag=later")).statusCode).toBe(404);
    expect((await site.api("GET", "/status")).json().waiting).toBe(3);
  });

  test("the logo is next to the name on every page, and above it in the email", async () => {
    const page = (await get("/")).body;
    const path = /<img class="logo" src="(\/assets\/logo\.[0-9a-f]{12}\.png)" width="40" height="40" alt="">/.exec(
      page,
    )![1]!;
    expect(page).toContain("<span>Telecoms Daily</span></a>");
    const own = { "content-type": "image/png", "x-content-type-options": "nosniff" };
    for (const [url, lasting] of [
      [path, "public, max-age=31536000, immutable"],
      ["/assets/logo.000000000000.svg", "public, max-age=3600"],
    ] as const) {
      const logo = await get(url);
      expect(logo.rawPayload.equals(readFileSync(logoFile))).toBe(true);
      expect(logo.headers).toMatchObject({ ...own, "cache-control": lasting });
      expect(logo.headers["content-security-policy"]).toMatch(/^default-src 'none'.*; sandbox$/);
      expect(logo.headers["cross-origin-resource-policy"]).toBe("cross-origin");
    }
    const { html } = await simpleParser((await get("/sample.eml")).rawPayload);
    expect(html).toMatch(new RegExp(`<img\\s+alt="" src="https://alerts\\.example\\.com${path}"[^>]* width="48"`));
    const framed = await get("/sample.html");
    expect(framed.body).toContain(`src="${path}"`);
    expect(framed.headers["content-security-policy"]).toContain("img-src data: 'self';");
  });

  test("a sample equals a real email of the same tags except for its note and the reader's own links", async () => {
    await site.api("POST", "/subscribers", {
      address: sampleReader,
      tags: ["huawei", "lg u+"],
      confirmed: true,
      consent: { method: "test" },
    });
    await site.api("POST", "/editions");
    await site.render(1);
    const real = await simpleParser(await printReal());
    const sample = await simpleParser((await get(`/sample.eml?tags=huawei,lg%20u%2B`)).rawPayload);
    expect(sample.subject).toBe(`Sample copy: ${real.subject!}`);
    expect([sample.from?.text, sample.to]).toEqual([real.from?.text, real.to]);
    expect(sample.headers.has("list")).toBe(true);
    expect(sample.headers.get("list")).not.toHaveProperty("unsubscribe");

    const own = /https:\/\/alerts\.example\.com\/preferences\/[\w-]+(?:\/unsubscribe)?/g;
    expect((real.html as string).match(own)).toHaveLength(4);
    const mark = /<tr>\s*<td[^>]*class="ink"[^>]*>\s*<div[^>]*><strong>This is a sample copy\..*?<\/tr>/s;
    const bare = (html: string) => html.replace(/\s+/g, " ");
    expect(sample.html as string).toMatch(mark);
    expect(bare((sample.html as string).replace(mark, ""))).toBe(bare((real.html as string).replaceAll(own, "#")));

    const lines = (real.text ?? "").replaceAll(new RegExp(`: ${own.source}`, "g"), ` ${textOf("mail.inactive")}`);
    const note = /\nThis is a sample copy\. .*\nSign up: https:\/\/alerts\.example\.com\/?\n/;
    expect(sample.text).toMatch(note);
    expect((sample.text ?? "").replace(note, "")).toBe(lines);
    expect(lines).toContain(textOf("mail.articles_on", { n: 2, tags: "lg u+, huawei" }));
  });

  test("viewing a sample stores nothing", async () => {
    const counts = async () =>
      Promise.all(
        (["deliveries", "cohorts", "subscribers", "audit"] as const).map((table) =>
          site.app.db
            .selectFrom(table)
            .select((eb) => eb.fn.countAll().as("n"))
            .executeTakeFirst(),
        ),
      );
    const before = await counts();
    for (const path of [tagged, `${tagged}&view=source`, "/sample.txt", "/sample.eml", "/sample.html"]) {
      expect((await get(path)).statusCode).toBe(200);
      expect((await site.inject({ method: "HEAD", url: path })).statusCode).toBe(200);
    }
    expect(await counts()).toEqual(before);
  });

  test.each([
    ["tags with commas between them", "tags=lg%20u%2B,huawei"],
    ["a form's spelling", "tags=lg+u%2B%2Chuawei"],
    ["one tag a field, in another case", "tag=LG%20U%2B&tag=Huawei"],
    ["a careless link", "tags=lg%20u+,huawei"],
  ])("%s: the same sample", async (_what, query) => {
    const { body } = await get(`/sample?${query}&view=text`);
    expect(body).toContain(textOf("mail.articles_on", { n: 2, tags: "lg u+, huawei" }));
    expect(body).toContain('href="/subscribe?tags=lg%20u%2B&amp;tags=huawei"');
    expect(body).toContain(textOf("sample.what_tags", { date: "Tuesday, 24 November 2026" }));
  });

  test("unknown tags are named, and others offered", async () => {
    const some = await get("/sample?tag=huawei&tag=%3Cb%3Enonsense");
    expect(some.statusCode).toBe(200);
    expect(some.body).toContain("&lt;b&gt;nonsense");
    expect(some.body).toContain('src="/sample.html?tag=huawei"');
    const none = await get("/sample?tags=nonsense,rubbish");
    expect(none.statusCode).toBe(404);
    expect(none.body).toContain("rubbish");
    expect(none.body).toContain(textOf("sample.what_instead", { date: "Tuesday, 24 November 2026" }));
    expect(none.body).toContain('value="lg u+"');
    const file = await get("/sample.eml?tag=nonsense");
    expect(file.statusCode).toBe(404);
    expect(file.body).toContain("nonsense");
    expect((await get(`/sample?tag=${"%F0%9F%98%80".repeat(300)}&tag=%00`)).statusCode).toBe(400);
  });

  test("the sample uses the newest edition that has the tags", async () => {
    site.clock.at = new Date("2026-11-25T08:00:00Z");
    await site.api("POST", "/articles", [article(6, ["roaming"])]);
    await site.api("POST", "/editions");
    expect((await get("/sample.txt")).body).toContain("Headline 1");
    await site.render(2);
    expect((await get("/sample.txt")).body).toContain("Headline 6");
    const { body } = await get(`${tagged}&view=text`);
    expect(body).toContain(textOf("sample.what_tags", { date: "Tuesday, 24 November 2026" }));
    expect(body).toContain(textOf("sample.why_older"));
  });

  test("a merged tag finds editions frozen with its old name", async () => {
    await site.api("POST", "/tags/merge", { from: "huawei", into: "Korea" });
    const { body } = await get("/sample.txt?tag=korea");
    expect(body).toContain("Headline 1");
    expect((await get("/sample.txt?tag=huawei")).body).toContain("Headline 1");
  });

  test("the sample's HTML is sandboxed, opens articles in a new tab, and has no dead links", async () => {
    const { headers, body } = await get("/sample.html");
    expect(headers["content-security-policy"]).toMatch(/default-src 'none'.*sandbox/);
    expect(headers["x-frame-options"]).toBe("SAMEORIGIN");
    expect(body).toContain('<base target="_blank">');
    expect(body).not.toContain('href="#"');
    const phone = (await get("/sample")).body;
    expect(phone).toMatch(/<iframe class="mail phone" src="\/sample\.html" sandbox="allow-popups /);
  });

  test("a sample can be emailed, with the same answer for every address", async () => {
    await site.api("POST", "/subscribers", {
      address: "ada@example.com",
      allTags: true,
      confirmed: true,
      consent: { method: "test" },
    });
    const t = formTime(site.app.options.secret, new Date(site.clock.at.getTime() - 10_000));
    const post = (fields: [string, string][]) =>
      site.inject({
        method: "POST",
        url: "/sample?tag=lg%20u%2B&tag=nonsense",
        payload: new URLSearchParams(fields).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded" },
      });
    const answers = [];
    for (const address of ["ada@example.com", "new@example.com"]) {
      answers.push(
        await post([
          ["address", address],
          ["website", ""],
          ["t", t],
        ]),
      );
    }
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    expect(answers[0]!.body).toBe(answers[1]!.body);
    expect(answers[0]!.body).not.toContain("ada@");
    const bot = await post([
      ["address", "bot@example.com"],
      ["website", "https://spam.example/"],
      ["t", t],
    ]);
    expect(bot.body).toContain(textOf("inbox.title"));
    const notices = await site.app.db
      .selectFrom("notices")
      .select(["kind", "address", "payload"])
      .orderBy("id")
      .execute();
    expect(notices).toEqual(
      ["ada@example.com", "new@example.com"].map((address) => ({
        kind: "sample",
        address,
        payload: { tags: ["lg u+"] },
      })),
    );
  });

  test.each([
    ["no address", { address: " " }, 422, "Enter your email address."],
    ["a wrong address", { address: "<script>@x" }, 422, "&lt;script&gt;@x"],
    ["a form from elsewhere", { address: "eve@example.com", t: "x" }, 422, textOf("error.form_stale")],
    ["nothing at all", {}, 422, "Enter your email address."],
  ])("%s: the page says what is wrong, and keeps what was typed", async (_what, fields, status, said) => {
    const page = await site.inject({
      method: "POST",
      url: "/sample?tag=lg%20u%2B",
      payload: new URLSearchParams({ ...fields }).toString(),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(page.statusCode).toBe(status);
    expect(page.body).toContain(said);
    // No fragment, for with one browsers leave the cursor where they are.
    expect(page.body).toMatch(/action="\/sample\?tag=lg%20u%2B"[^]* autofocus/);
  });

  test("the API and the page show the same sample", async () => {
    const preview = await site.api("GET", "/editions/newest/preview?tags=lg%20u%2B&as=text");
    expect(preview.body).toBe((await get("/sample.txt?tag=lg%20u%2B")).body);
  });
});

async function printReal(): Promise<Buffer> {
  const builder = (await site.app.builder(1))!;
  const now = site.app.clock.now();
  const { claimed } = await site.app.db
    .transaction()
    .execute((tx) => claim(tx, { editionId: 1, slice: 0, rooms: noLimits, sender: site.app.sender, count: 10, now }));
  return builder.print(claimed[0]!, now);
}
