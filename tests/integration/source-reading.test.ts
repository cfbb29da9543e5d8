import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { listArticles } from "../../src/articles/store.ts";
import { changeSchedule } from "../../src/editions/change-schedule.ts";
import { addSource, changeSource, previewFeed } from "../../src/sources/manage-sources.ts";
import { pollSource } from "../../src/sources/poll.ts";
import { getSource } from "../../src/sources/store.ts";
import { movedClock } from "../support/clock.ts";
import { openWorld, type World } from "../support/world.ts";

const start = "2026-01-15T14:00:00Z";
const clock = movedClock(start);
const by = { actor: "test" };
let world: World;
let server: Server;
/** The items of the feed. */
let items: string[];
let url: string;

beforeAll(async () => {
  world = await openWorld({ clock });
  server = createServer((_request, response) => {
    const etag = `"${items.length}"`;
    if (_request.headers["if-none-match"] === etag) return response.writeHead(304).end();
    const written = items.map(
      (item, i) => `<item><title>T${i}</title><link>https://a.example/${i}</link>${item}</item>`,
    );
    return response
      .writeHead(200, { "content-type": "application/rss+xml", etag })
      .end(`<rss version="2.0"><channel><title>T</title>${written.join("")}</channel></rss>`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed.xml`;
});
afterAll(async () => {
  server.close();
  await world.close();
});
beforeEach(async () => {
  clock.set(start);
  await sql`truncate articles, sources, tags, audit cascade`.execute(world.app.db);
  await changeSchedule(world.app, { timezone: "Asia/Seoul" }, { ...by, passed: "skip" });
});

const add = (more: object = {}) => addSource(world.app, { url, tags: [], rename: {}, ...by, ...more });
const listed = async () =>
  (await listArticles(world.app.db, { limit: 50, now: clock.now() })).toSorted((a, b) => a.url.localeCompare(b.url));
const statuses = async () => (await listed()).map(({ status }) => status);

test("a date without a zone is in the publication's time zone, or in the source's", async () => {
  items = ["<pubDate>2026-01-15 22:30:00</pubDate>"];
  const { source } = await add();
  expect(await listed()).toMatchObject([{ publishedAt: new Date("2026-01-15T13:30:00Z"), status: "next_edition" }]);

  const changed = await changeSource(world.app, { source, timezone: "Europe/Berlin", ...by });
  expect(changed).toMatchObject({ changed: true, poll: { kind: "ingested" } });
  expect(await listed()).toMatchObject([{ publishedAt: new Date("2026-01-15T21:30:00Z"), status: "waiting_for_date" }]);
  const again = await changeSource(world.app, { source: changed.source, timezone: "Europe/Berlin", ...by });
  expect(again).toMatchObject({ changed: false, poll: null });
  const logged = await world.app.db.selectFrom("audit").select("detail").where("action", "=", "source edit").execute();
  expect(logged).toHaveLength(1);
});

test("articles without a readable date are backlog when their source is added, and news later", async () => {
  items = ["<pubDate>soon</pubDate>", "<pubDate>31/31/2026</pubDate>", ""];
  expect(await previewFeed(world.app, url, clock.now())).toMatchObject({
    example: true,
    problems: [{ code: "feed_item_date_unreadable", details: { n: 2, date: "soon" } }],
  });
  const { source, poll } = await add();
  const problem = { code: "feed_item_date_unreadable", details: { n: 2, date: "soon", url: "https://a.example/0" } };
  const undated = { code: "articles_undated", details: { n: 3 } };
  expect(poll).toMatchObject({ kind: "ingested", problems: [problem, undated] });
  expect(source.problems).toEqual([problem]);
  expect(await statuses()).toEqual(["too_old", "too_old", "too_old"]);

  items.push("<pubDate>later</pubDate>", "");
  await pollSource(world.app, source.id, { force: true });
  expect(await statuses()).toEqual(["too_old", "too_old", "too_old", "next_edition", "next_edition"]);
  expect((await getSource(world.app.db, source.id)).problems).toMatchObject([{ details: { n: 3 } }]);
});

test("categories are split at commas for the sources that need it, also for articles that wait", async () => {
  items = ["<category>LG U＋, Samsung</category>"];
  const { source } = await add();
  expect(await listed()).toMatchObject([{ tags: ["LG U＋, Samsung"] }]);
  await changeSource(world.app, { source, splitTags: true, ...by });
  expect((await listed())[0]!.tags).toEqual(["LG U＋, Samsung", "LG U＋", "Samsung"]);

  await sql`truncate articles, sources, tags cascade`.execute(world.app.db);
  await add({ splitTags: true, timezone: "Asia/Tokyo" });
  expect((await listed())[0]!.tags).toEqual(["LG U＋", "Samsung"]);
});
