import { parseAtomFeed } from "feedsmith";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseFeed } from "../../../src/sources/parse.ts";
import { article, openWeb, type OpenWeb } from "./open.ts";

let site: OpenWeb;
beforeAll(async () => {
  site = await openWeb();
});
afterAll(() => site.close());
const url = "/editions/feed.xml";
const get = (headers = {}) => site.inject({ method: "GET", url, headers });

test("without editions the feed is valid and empty", async () => {
  const answer = await get();
  expect(answer.headers["content-type"]).toBe("application/atom+xml; charset=utf-8");
  const feed = parseAtomFeed(answer.body);
  expect(feed).toMatchObject({
    id: "https://alerts.example.com/editions/feed.xml",
    updated: "2026-11-24T08:00:00.000Z",
  });
  expect(feed.entries ?? []).toEqual([]);
});

test("each sent edition is an entry, newest first, with escaped texts", async () => {
  await site.api("POST", "/articles", [
    article(1, ["lg u+", "<i>"], { title: 'Using <T> & "C++"', summary: "]]> \u{1f600} &amp;amp; 한국" }),
    article(2, []),
  ]);
  await site.api("POST", "/editions");
  expect(parseAtomFeed((await get()).body).entries ?? []).toEqual([]);
  await site.render(1);
  site.clock.at = new Date("2026-11-25T08:00:00Z");
  await site.api("POST", "/articles", [article(3, [])]);
  await site.api("POST", "/editions");
  await site.render(2);
  const answer = await get();
  const feed = parseAtomFeed(answer.body);
  const entries = feed.entries ?? [];
  expect(entries.map(({ id, title, updated }) => [id, title?.value, updated])).toEqual([
    ["https://alerts.example.com/editions/2026-11-25", "Wednesday, 25 November 2026", "2026-11-25T08:00:00.000Z"],
    ["https://alerts.example.com/editions/2026-11-24", "Tuesday, 24 November 2026", "2026-11-24T08:00:00.000Z"],
  ]);
  expect(feed).toMatchObject({ updated: "2026-11-25T08:00:00.000Z", title: { value: "Telecoms Daily: editions" } });
  expect(feed.links).toContainEqual(
    expect.objectContaining({ rel: "self", href: "https://alerts.example.com/editions/feed.xml" }),
  );
  const content = JSON.stringify(entries[1]);
  expect(content).toContain("Using &lt;T&gt; &amp; &quot;C++&quot;");
  expect(content).toContain("lg u+ · &lt;i&gt;");
  // Our own reader understands it.
  expect(parseFeed(answer.body, `https://alerts.example.com${url}`).items).toHaveLength(2);
});

test("an unchanged feed is answered with 304", async () => {
  const { headers } = await get();
  expect((await get({ "if-none-match": headers["etag"] })).statusCode).toBe(304);
  site.clock.at = new Date("2026-11-26T08:00:00Z");
  expect((await get()).headers["etag"]).toBe(headers["etag"]);
  await site.api("POST", "/articles", [article(4, [])]);
  await site.api("POST", "/editions");
  await site.render(3);
  expect((await get({ "if-none-match": headers["etag"] })).statusCode).toBe(200);
});
