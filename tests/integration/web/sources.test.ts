import { afterAll, beforeAll, expect, test } from "vitest";
import { startFeed, type FeedServer } from "../../support/feed-server.ts";
import { signIn, type Dashboard } from "../../support/sign-in.ts";
import { textOf } from "../../support/text.ts";
import { openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
let dashboard: Dashboard;
let feed: FeedServer;

beforeAll(async () => {
  site = await openWeb({ ALLOW_PRIVATE_SOURCES: "1" });
  dashboard = await signIn(site);
  const at = site.clock.now();
  feed = await startFeed([{ id: "1", title: "Headline", tags: ["LG U＋, Telefónica"], at }]);
});
afterAll(async () => {
  await feed.close();
  await site.close();
});

/** As in the page's HTML. */
const noZone = textOf("error.timezone_invalid", { zone: "Mars/Olympus" }).replaceAll('"', "&#34;");

const sources = async () => (await site.api("GET", "/sources")).json().sources;

test("a feed is connected with its time zone and split categories, and a mistake keeps the form", async () => {
  const fields = { url: feed.url, tags: "news", timezone: "Mars/Olympus", splitTags: "1" };
  const refused = await dashboard.post("/operator/sources", fields);
  expect(refused.statusCode).toBe(422);
  expect(refused.body).toContain(noZone);
  expect(refused.body).toContain(`value="${feed.url}"`);
  expect(refused.body).toMatch(/name="splitTags" value="1" checked/);

  expect((await dashboard.post("/operator/sources", { ...fields, timezone: "Asia/Seoul" })).statusCode).toBe(200);
  expect(await sources()).toMatchObject([{ timezone: "Asia/Seoul", splitTags: true }]);
  expect((await site.api("GET", "/articles")).json().articles[0].tags).toEqual(["LG U＋", "Telefónica", "news"]);
});

test("how a feed is read is changed on a page", async () => {
  const page = await dashboard.get("/operator/sources/1/edit");
  expect(page.body).toContain('<option value="Asia/Seoul" selected>');
  const wrong = await dashboard.post("/operator/sources/1/edit", { timezone: "Mars/Olympus" });
  expect([wrong.statusCode, wrong.body]).toEqual([422, expect.stringContaining(noZone)]);
  const saved = await dashboard.post("/operator/sources/1/edit", { timezone: "" });
  expect(saved.body).toContain(
    textOf("source.poll_done", { source: "Telecom Daily", added: 0, updated: 1, unchanged: 0 }),
  );
  expect(await sources()).toMatchObject([{ timezone: null, splitTags: false }]);
  const same = await dashboard.post("/operator/sources/1/edit", { timezone: "" });
  expect(same.body).toContain(textOf("source.same", { source: "Telecom Daily" }));
});

test("how a feed is read is changed with the API", async () => {
  const put = (body: object, id = 1) => site.api("PUT", `/sources/${id}`, body);
  expect((await put({ timezone: "asia/tokyo" })).json()).toMatchObject({
    source: { timezone: "Asia/Tokyo", splitTags: false },
    changed: true,
    poll: { outcome: "ingested" },
  });
  expect((await put({ splitTags: true })).json().source).toMatchObject({ timezone: "Asia/Tokyo", splitTags: true });
  expect((await put({})).json()).toMatchObject({ changed: false, poll: null });
  expect((await put({ timezone: null, splitTags: false })).json().source).toMatchObject({ timezone: null });
  expect((await put({ timezone: "Mars" })).json().code).toBe("timezone_invalid");
  expect((await put({ splitTags: true }, 99)).statusCode).toBe(404);
  await site.api("POST", "/articles", { url: "https://a.example/", title: "T" });
  const own = (await sources()).find(({ kind }: { kind: string }) => kind === "api");
  expect((await put({ splitTags: true }, own.id)).json().code).toBe("source_not_a_feed");
});

test("a search for tags ignores accents and width", async () => {
  expect((await dashboard.get("/operator/tags?q=telefonica")).body).toContain("Telefónica");
  expect((await dashboard.get("/operator/tags?q=lg+u%2B")).body).toContain("LG U＋");
  const found = await site.inject({ method: "GET", url: "/subscribe/tags?q=telefonica" });
  expect(found.body).toContain("Telefónica");
});
