import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { textOf } from "../../support/text.ts";
import { actedText } from "../../../src/web/operator/edition-acts.ts";
import { formWithFile } from "../../support/form-with-file.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;

beforeAll(async () => {
  site = await openWeb();
  dashboard = await signIn(site);
});
afterAll(() => site.close());

const get: Dashboard["get"] = (url) => dashboard.get(url);
const post: Dashboard["post"] = (url, fields) => dashboard.post(url, fields);
const noticeOf = ({ body }: { body: string }): string | undefined =>
  /<p class="notice" role="status">([^<]*)</.exec(
    body.replace(/<p class="notice" role="status" data-silent.*/, ""),
  )?.[1];

test("the page of a new server links to what is missing", async () => {
  const { statusCode, body } = await get("/operator");
  expect(statusCode).toBe(200);
  expect(body).toContain('href="/operator/sources#add"');
  expect(body).toContain('href="/operator/readers#import"');
  expect(/<h1[^>]*>([^<]*)/.exec(body)?.[1]).toMatch(/no edition today.*Wednesday/);
});

test("an edition is sent after a confirmation with the number of readers, and a double click sends it once", async () => {
  await site.api("POST", "/articles", [article(1, ["lg u+", "huawei"])]);
  const consent = { method: "test" };
  await site.api("POST", "/subscribers", { address: "ada@example.com", tags: ["huawei"], confirmed: true, consent });
  const asked = await get("/operator/send");
  expect(asked.body).toContain(textOf("send.regular", { n: 1 }));
  const fields = { date: "2026-11-24", after: "0" };
  const answers = await Promise.all([post("/operator/send", fields), post("/operator/send", fields)]);
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 303]);
  const places = answers.map(({ headers }) => String(headers.location));
  expect(places.toSorted()).toEqual([
    "/operator/editions/2026-11-24?done=send",
    "/operator/editions/2026-11-24?done=send&already=1",
  ]);
  expect((await get("/operator/editions")).body).toContain(textOf("edition.for_readers", { articles: 1, readers: 1 }));
  const extra = { date: "2026-11-24", after: "1" };
  await site.api("POST", "/articles", [article(2, ["huawei"])]);
  const more = await Promise.all([1, 2, 3].map(() => post("/operator/send", extra)));
  for (const { headers } of more) expect(headers.location).toContain("/operator/editions/2026-11-24.2?done=send");
  expect(JSON.parse((await site.api("GET", "/editions")).body).editions).toHaveLength(2);
});

test("an edition is paused at once and resumed after a confirmation, and a late action is refused", async () => {
  await site.render(1);
  const page = await get("/operator/editions/2026-11-24");
  expect(page.body).toContain('action="/operator/editions/2026-11-24/pause"');
  expect(page.body).toContain('href="/editions/2026-11-24"');
  const paused = await post("/operator/editions/2026-11-24/pause");
  expect(paused.headers.location).toBe("/operator/editions/2026-11-24?done=pause&n=0");
  expect(noticeOf(await get(String(paused.headers.location)))).toBe(actedText("pause", 0));
  const again = await post("/operator/editions/2026-11-24/pause");
  const found = (await get("/operator/editions/2026-11-24?state=pending&domain=Example.com")).body;
  expect(found).toContain("ada@example.com");
  expect((await get("/operator/editions/2026-11-24?domain=example.org")).body).not.toContain("ada@example.com");
  const ledger = "/operator/editions/2026-11-24/deliveries";
  expect((await post(ledger, { state: "pending", domain: "Example.com" })).body).toContain("ada@example.com");
  expect((await post(ledger, { reply: "ada@example.com" })).body).not.toContain("/operator/readers/1?");
  expect((await post(`${ledger}.csv`, { state: "pending" })).body).toContain('"pending","ada@example.com"');
  // What is in a URL restricts nothing by an address.
  expect((await get("/operator/editions/2026-11-24?reply=ada%40example.com")).body).toContain("ada@example.com");
  expect(String(again.headers.location)).toContain("done=pause&already=1");
  expect(noticeOf(await get(String(again.headers.location)))).toBe(textOf("acted.already"));
  expect((await get("/operator")).body).toMatch(/class="decide">[^<]*2026-11-24 is paused/);
  expect((await get("/operator/editions/2026-11-24/resume")).body).toContain(`<h1>${textOf("act.resume", { n: 1 })}?`);
  expect((await post("/operator/editions/2026-11-24/resume")).statusCode).toBe(303);
  const late = await post("/operator/editions/2026-11-24/approve");
  expect(String(late.headers.location)).toContain("done=approve&already=1");
  await post("/operator/editions/2026-11-24/cancel");
  const wrong = await post("/operator/editions/2026-11-24/resume");
  expect([wrong.statusCode, wrong.body]).toEqual([
    409,
    expect.stringContaining(
      textOf("error.edition_action_not_possible", {
        edition: "2026-11-24",
        state: "cancelled",
        action: "resume",
        actions: "unsuppress",
      }),
    ),
  ]);
});

test("the statistics of 30 and 90 days are tables on the page, and the script of their plots comes from this server", async () => {
  const { body } = await get("/operator/numbers");
  const rows = (id: string, page: string): string[] =>
    [
      ...page
        .slice(page.indexOf(`id="${id}"`))
        .split("</table>")[0]!
        .matchAll(/<tr><th scope="row">.*<\/tr>/g),
    ].map(([row]) => row.replaceAll(/(<[^>]+>)+/g, " ").trim());
  expect(rows("plot-readers", body).slice(0, 2)).toEqual(["2026-11-24 1", "2026-11-23 0"]);
  expect(rows("plot-left", body)).toHaveLength(30);
  expect(rows("plot-articles", body)).toEqual(["2026-11-24.2 1", "2026-11-24 1"]);
  expect(rows("plot-left", (await get("/operator/numbers?days=90")).body)).toHaveLength(90);
  const [script] = /\/assets\/plots\.\w+\.js/.exec(body)!;
  expect((await get(script)).body).toContain("uPlot");
  expect((await get("/operator")).body).not.toContain(script);
  expect((await get("/")).body).not.toMatch(/htmx|plots/);
});

test("a write without the session's token changes nothing", async () => {
  const headers = { cookie: dashboard.cookie, "content-type": "application/x-www-form-urlencoded" };
  const url = "/operator/editions/2026-11-24.2/cancel";
  expect((await site.inject({ method: "POST", url, headers, payload: "" })).statusCode).toBe(403);
});

test("the schedule page previews a change, refuses invalid times, and skips and moves dates", async () => {
  const look = "/operator/schedule?sendAt=02%3A30&timezone=Europe%2FBerlin";
  const sunday = (await get(`${look}&day=sun`)).body;
  expect(sunday).toContain('<input type="hidden" name="days" value="sun">');
  expect((await get(look)).body).toContain(textOf("error.no_weekday_chosen"));
  expect((await get("/operator/schedule?sendAt=25%3A00&timezone=UTC&day=mon")).body).toContain(
    textOf("error.time_invalid", { value: "25:00" }).replaceAll('"', "&#34;"),
  );
  const fields = { sendAt: "06:55", timezone: "Europe/Berlin", days: "mon,tue,wed,thu,fri" };
  expect((await post("/operator/schedule", fields)).headers.location).toBe("/operator/schedule?saved=schedule");
  await post("/operator/schedule/skip", { date: "2026-11-25" });
  const { body } = await get("/operator/schedule");
  expect(body).toContain("Wednesday, 25 November 2026");
  expect(/<b>([^<]+)<\/b>, <time datetime="([^"]+)"/.exec(body)?.slice(1)).toEqual([
    "Thursday 26 November",
    "2026-11-26T05:55:00.000Z",
  ]);
  await post("/operator/schedule/unskip", { date: "2026-11-25" });
  expect((await post("/operator/schedule/skip", { date: "2026-12-25, 2026-02-30" })).statusCode).toBe(422);
  await post("/operator/schedule/skip", { date: "2026-12-25, 2026-12-28..2026-12-29" });
  await post("/operator/schedule/move", { date: "2026-11-26", time: "09:30" });
  const after = (await get("/operator/schedule")).body;
  for (const words of ["Moved from 06:55 on this date.", 'name="time" value=""', "Tuesday, 29 December 2026"]) {
    expect(after).toContain(words);
  }
  expect(after).not.toContain("26 December");
  await post("/operator/schedule/move", { date: "2026-11-26", time: "" });
});

test("a delivery time that has passed needs a decision before it is saved", async () => {
  // A session ends after half a day without use.
  for (const at of ["2026-11-24T18:00:00Z", "2026-11-25T05:00:00Z"]) {
    site.clock.at = new Date(at);
    await get("/operator");
  }
  const url = (time: string): string => `/operator/schedule?sendAt=${time}&timezone=Europe%2FBerlin&day=wed`;
  const { body } = await get(url("05%3A00"));
  expect(body).toMatch(/name="passed" value="send">[^<]*2026-11-25/);
  expect(body).toMatch(/name="passed" value="skip"[^>]*>[^<]*2026-11-25/);
  expect((await get(url("09%3A00"))).body).not.toContain('name="passed"');
  const fields = { sendAt: "05:00", timezone: "Europe/Berlin", days: "mon,tue,wed,thu,fri" };
  const unchecked = await post("/operator/schedule", fields);
  expect([unchecked.statusCode, unchecked.body]).toEqual([
    409,
    expect.stringContaining(
      textOf("error.passed_date_undecided", { date: "2026-11-25", time: "05:00 (Europe/Berlin)" }),
    ),
  ]);
  const revision = /name="revision" value="(\w+)"/.exec(body)![1]!;
  expect((await post("/operator/schedule", { ...fields, revision, passed: "skip" })).statusCode).toBe(303);
  expect((await get("/operator/schedule")).body).toContain("Wednesday, 25 November 2026");
  // Another operator's page still shows the previous schedule.
  const outdated = await post("/operator/schedule", { ...fields, sendAt: "06:00", revision });
  expect([outdated.statusCode, outdated.body]).toEqual([
    409,
    expect.stringContaining(textOf("error.schedule_changed", { actor: "Ada" })),
  ]);
});

test("an unreadable source is refused with the form as typed, and tags are merged after a confirmation with the number of readers", async () => {
  const refused = await post("/operator/sources", { url: "http://127.0.0.1:9/feed.xml", tags: "a, b" });
  expect(refused.statusCode).toBeGreaterThanOrEqual(400);
  expect(refused.body).toContain('value="http://127.0.0.1:9/feed.xml"');
  const asked = await get("/operator/tags/merge?from=huawei&into=lg+u%2B");
  expect(asked.body).toContain(`type="submit">${textOf("tag.merge_label", { n: 1 })}<`);
  expect((await post("/operator/tags/merge", { from: "huawei", into: "lg u+" })).headers.location).toBe(
    "/operator/tags/one?tag=lg%20u%2B&done=merge",
  );
  expect((await get("/operator/tags")).body).toContain("also: huawei");
  expect((await post("/operator/tags/alias", { alias: "LGU+", tag: "lg u+" })).statusCode).toBe(303);
  const tag = (await get("/operator/tags/one?tag=lg+u%2B")).body;
  const path = /href="(\/operator\/tags\/unalias[^"]+LGU%2B)"/.exec(tag)![1]!.replaceAll("&amp;", "&");
  const question = (await get(path)).body;
  const spelling = { alias: "LGU+", tag: "lg u+" };
  expect(question).toContain(`<h1>${textOf("tag.remove_spelling_question", spelling)}`);
  expect(question).toContain(textOf("effect.remove_spelling", spelling));
  const removals = await Promise.all([1, 2].map(() => post("/operator/tags/unalias", { alias: "LGU+", tag: "lg u+" })));
  const done = removals.map(({ headers }) => new URLSearchParams(String(headers.location).split("?")[1]).get("done"));
  expect(new Set(done)).toEqual(new Set(["unalias", "unaliased"]));
  const notices = await Promise.all(removals.map(async ({ headers }) => noticeOf(await get(String(headers.location)))));
  expect(new Set(notices).size).toBe(2);
  expect((await get(path)).headers.location).toBe("/operator/tags/one?tag=lg%20u%2B");
});

test("a feed with a broken item is read, and the source has a problem until the item is fixed", async () => {
  const item = (n: number, title: string) =>
    `<item><title>${title}</title><link>https://news.example/${n}</link></item>`;
  const feed = (items: string[]) => `<rss version="2.0"><channel><title>Wire</title>${items.join("")}</channel></rss>`;
  const whole = ["One", "Two < 3", "Three"].map((title, n) => item(n, title));
  let answer = feed(whole.with(2, "<item><title</item>"));
  const server = createServer(({ headers }, response) => {
    const etag = JSON.stringify(String(answer.length));
    response.writeHead(headers["if-none-match"] === etag ? 304 : 200, { etag }).end(answer);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  site.app.fetch = { ...site.app.fetch, allowPrivate: true };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed.xml`;
  const lost = textOf("error.feed_items_unreadable", { lost: 1, all: 3 });
  const problem = expect.stringContaining(lost);
  const added = (await site.api("POST", "/sources", { url })).json();
  expect(added).toMatchObject({ source: { healthy: true, lastError: null, problem }, poll: { added: 2 } });
  expect((await get("/operator/sources")).body).toContain(lost);
  const check = async () => (await site.api("POST", `/sources/${added.source.id}/check`)).json();
  expect(await check()).toMatchObject({ source: { problem }, poll: { outcome: "unchanged" } });
  answer = feed(whole);
  expect(await check()).toMatchObject({ source: { problem: null }, poll: { added: 1 } });
  server.close();
});

test("a tag is renamed or hidden after a confirmation with the number of readers, and renaming to another tag's name offers to merge", async () => {
  const { body } = await get("/operator/tags");
  expect(body).toContain('href="/operator/tags/one?tag=lg%20u%2B"');
  expect((await get("/operator/tags/one?tag=huawei")).body).toContain(`${textOf("count.readers", { n: 1 })}</span>`);
  const asked = (await get("/operator/tags/rename?tag=lg+u%2B&to=LG+Uplus")).body;
  expect(asked).toContain(textOf("effect.rename_followers", { n: 1 }));
  expect(asked).toContain(textOf("effect.rename_alias", { from: "lg u+" }));
  const revision = /name="revision" value="(\d+)"/.exec(asked)![1]!;
  const fields = { tag: "lg u+", to: "LG Uplus", revision };
  expect((await post("/operator/tags/rename", fields)).headers.location).toContain("LG%20Uplus&done=rename");
  expect((await post("/operator/tags/rename", fields)).statusCode).toBe(303);
  expect((await post("/operator/tags/rename", { ...fields, tag: "LG Uplus", to: "Uplus" })).statusCode).toBe(409);
  await site.api("POST", "/articles", article(3, ["Korea"]));
  const taken = await get("/operator/tags/rename?tag=LG+Uplus&to=korea");
  const merge = (await get(String(taken.headers.location))).body;
  expect(merge).toContain('action="/operator/tags/merge"');
  expect(merge).toContain("“korea”");
  const hide = (await get("/operator/tags/hide?tag=LG+Uplus")).body;
  expect(hide).toContain(textOf("effect.hide_followers", { n: 1 }));
  expect(hide).toContain(textOf("effect.hide_only_this", { n: 1 }));
  expect((await post("/operator/tags/hide", { tag: "LG Uplus" })).headers.location).toContain("done=hide");
  expect((await get("/operator/tags")).body).toContain('lang="en">Hidden</span>');
  expect(noticeOf(await get("/operator/preview?tag=LG+Uplus"))).toMatch(/hidden: LG Uplus/);
  expect((await get("/operator/tags/unhide?tag=LG+Uplus")).body).toContain(textOf("tag.unhide_label", { n: 1 }));
  await post("/operator/tags/unhide", { tag: "LG Uplus" });
  await post("/operator/tags/rename", { tag: "LG Uplus", to: "lg u+" });
  expect((await get("/operator/log")).body).toContain("after: lg u+, before: LG Uplus");
});

test("the dashboard finds a reader, explains what they got, and previews a list before it is imported", async () => {
  const list = "address,tags\nbo@example.org,lg u+\nnot an address,\n";
  const looked = (await post("/operator/readers/import", { list, confirmed: "1" })).body;
  const report = textOf("readers.import_report", {
    lines: 2,
    added: 1,
    updated: 0,
    unchanged: 0,
    suppressed: 0,
    refused: 1,
  });
  expect(looked).toContain(report);
  expect(looked).toContain(`name="act" value="import">${textOf("readers.import", { n: 1 })}<`);
  expect((await post("/operator/readers/find", { q: "bo@" })).body).not.toContain("bo@example.org");
  const file = { field: "file", name: "readers.csv", content: Buffer.from(`${list}\nzoe@example.com,huawei`) };
  const { payload, type } = await formWithFile({ csrf: dashboard.csrf, list: "", confirmed: "1", act: "import" }, file);
  const headers = { cookie: dashboard.cookie, "content-type": type };
  const chosen = (await site.inject({ method: "POST", url: "/operator/readers/import", headers, payload })).body;
  // A file is previewed before it is imported.
  expect(chosen).toContain('name="act" value="import"');
  expect(chosen).toContain("zoe@example.com,huawei</textarea>");
  const taken = (await post("/operator/readers/import", { list, confirmed: "1", act: "import" })).body;
  expect(taken).toContain(report);
  expect(taken).not.toContain('name="act" value="import"');
  const found = (await post("/operator/readers/find", { q: "BO@example" })).body;
  const path = /href="(\/operator\/readers\/\d+)">bo@example.org/.exec(found)![1]!;
  expect((await get(`${path}?date=2026-11-24`)).body).toContain("The reader signed up at");
  const ada = /href="(\/operator\/readers\/\d+)">ada@example.com/.exec((await get("/operator/readers")).body)![1]!;
  expect((await get(`${ada}?date=2026-11-24`)).body).toMatch(/Matches \S/);
  expect((await get("/operator/readers/export.csv")).body).toContain('"bo@example.org","active"');
  await post("/operator/readers/suppress", { address: "bo@example.org" });
  expect((await get(path)).body).toContain('class="mark suppressed"');
  expect((await get(`${path}/erase`)).body).toMatch(/<h1>[^<]*bo@example.org\?/);
  expect((await post(`${path}/erase`)).headers.location).toBe("/operator/readers?done=erase");
  expect((await get(path)).statusCode).toBe(404);
});
