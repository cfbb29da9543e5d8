import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ingest, type IngestSource, tagProblems } from "../../src/articles/ingest.ts";
import type { FeedItem } from "../../src/sources/parse-item.ts";
import { addAlias, mergeTags } from "../../src/articles/change-tags.ts";
import { type Database, openEmbedded } from "../../src/db/open.ts";
import { addFeeds, getSource } from "../../src/sources/store.ts";
import { movedClock } from "../support/clock.ts";

const clock = movedClock("2026-11-24T06:00:00Z");
let database: Database;
let site: IngestSource;
let other: IngestSource;

const item = (changes: Partial<FeedItem> = {}): FeedItem => ({
  guid: "g1",
  url: "https://news.example/lte",
  title: "LTE contract",
  summary: "Concerns.",
  tags: ["lg u+"],
  publishedAt: new Date("2026-11-24T05:00:00Z"),
  origin: null,
  ...changes,
});

beforeAll(async () => {
  database = await openEmbedded(null);
});
afterAll(() => database.close());
beforeEach(async () => {
  for (const table of ["edition_articles", "articles", "editions", "sources", "tags"] as const) {
    await database.db.deleteFrom(table).execute();
  }
  const urls = ["https://news.example/feed", "https://other.example/feed"];
  const [a, b] = await addFeeds(
    database.db,
    urls.map((url) => ({ url })),
    clock.now(),
  );
  site = await getSource(database.db, a!);
  other = await getSource(database.db, b!);
});

const deps = () => ({ db: database.db, clock });
const take = async (source: IngestSource, ...items: FeedItem[]) =>
  (await ingest({ db: database.db, clock }, source, items)).map((one) => one.outcome);
const articles = () => database.db.selectFrom("articles").selectAll().orderBy("id").execute();
const tags = async () =>
  (
    await database.db
      .selectFrom("article_tags")
      .innerJoin("tags", "tags.id", "article_tags.tag_id")
      .select("tags.name")
      .orderBy("position")
      .execute()
  ).map((row) => row.name);
const freezeAll = async () => {
  const at = clock.now();
  const { id } = await database.db
    .insertInto("editions")
    .values({ date: "2026-11-24", number: 1, state: "sending", timezone: "UTC", due_at: at, opened_at: at })
    .returning("id")
    .executeTakeFirstOrThrow();
  await database.db.updateTable("articles").set({ edition_id: id }).execute();
};

describe("one article, however often and through whatever door it comes", () => {
  test("the same item again changes nothing", async () => {
    expect(await take(site, item())).toEqual(["added"]);
    expect(await take(site, item())).toEqual(["unchanged"]);
    expect(await articles()).toHaveLength(1);
  });

  test.each([
    ["by its guid, when the link has moved", item({ url: "https://news.example/2026/lte" }), "updated"],
    ["by its link, when the guid is new", item({ guid: "g2" }), "unchanged"],
    [
      "by its link, with tracking and another scheme",
      item({ guid: null, url: "http://www.news.example/lte?utm_source=x#top" }),
      "updated",
    ],
  ])("is known %s", async (_how, again, outcome) => {
    await take(site, item());
    expect(await take(site, again)).toEqual([outcome]);
    expect(await articles()).toHaveLength(1);
  });

  test("a guid that comes back with another link and headline is another article", async () => {
    await take(site, item());
    expect(await take(site, item({ url: "https://news.example/other", title: "Another story" }))).toEqual(["added"]);
    expect(await articles()).toHaveLength(2);
  });

  test("tags of variants are united in the order they came, and keep their first spelling", async () => {
    await take(site, item({ tags: ["lg u+", "Huawei"] }));
    expect(await take(other, item({ guid: "x", tags: ["HUAWEI", "Korea", "LG U"] }))).toEqual(["updated"]);
    expect(await tags()).toEqual(["lg u+", "Huawei", "Korea", "LG U"]);
  });

  test("two items of one document for one article are one, with the first one's text", async () => {
    expect(await take(site, item(), item({ guid: "g9", title: "Variant", tags: ["Korea"] }))).toEqual([
      "added",
      "updated",
    ]);
    expect(await articles()).toMatchObject([{ title: "LTE contract" }]);
    expect(await take(site, item(), item({ guid: "g9", title: "Variant", tags: ["Korea"] }))).toEqual([
      "unchanged",
      "unchanged",
    ]);
  });

  test("its own source may edit it, another may not", async () => {
    await take(site, item());
    expect(await take(site, item({ title: "LTE contract questioned" }))).toEqual(["updated"]);
    expect(await take(other, item({ guid: "x", title: "Copied headline" }))).toEqual(["unchanged"]);
    expect(await articles()).toMatchObject([{ title: "LTE contract questioned" }]);
  });

  test("once an edition has frozen it, nothing changes it", async () => {
    await take(site, item());
    await freezeAll();
    expect(await take(site, item({ title: "Edited too late", tags: ["new"] }))).toEqual(["unchanged"]);
    expect(await articles()).toMatchObject([{ title: "LTE contract" }]);
  });
});

describe("when it may be mailed", () => {
  test("what was old when a new source was first read is backlog", async () => {
    const old = item({ publishedAt: new Date("2026-11-20T05:00:00Z") });
    const [outcome] = await ingest({ db: database.db, clock }, site, [old]);
    expect(outcome!.reason).toEqual({ code: "article_too_old", details: { hours: 48 } });
    expect(await articles()).toMatchObject([{ backlog: true }]);
  });

  test("what came while we were away is not", async () => {
    const away = { ...site, succeeded_at: new Date("2026-11-20T04:00:00Z") };
    await take(away, item({ publishedAt: new Date("2026-11-20T05:00:00Z") }));
    expect(await articles()).toMatchObject([{ backlog: false }]);
  });

  test("what is dated ahead waits for its date", async () => {
    const ahead = new Date("2026-11-26T05:00:00Z");
    await take(site, item({ publishedAt: ahead }));
    expect(await articles()).toMatchObject([{ eligible_at: ahead }]);
  });
});

describe("tags of a source", () => {
  test("are renamed and added to, and a tag called like a part of the language is only a tag", async () => {
    const source = { ...site, renamed_tags: { "lg uplus": "lg u+" }, extra_tags: ["Telecoms"] };
    await take(source, item({ tags: ["LG Uplus", "constructor", "__proto__"] }));
    expect(await tags()).toEqual(["lg u+", "constructor", "__proto__", "Telecoms"]);
  });

  test("a merged tag stays understood", async () => {
    await take(site, item({ tags: ["South Korea", "Korea"] }));
    await mergeTags(deps(), { from: "South Korea", into: "Korea", actor: "test" });
    expect(await tags()).toEqual(["Korea"]);
    await take(site, item({ guid: "g2", url: "https://news.example/2", tags: ["south korea"] }));
    expect(await tags()).toEqual(["Korea", "Korea"]);
  });

  test("an alias is another spelling of a tag, and never steals one", async () => {
    await take(site, item({ tags: ["Korea", "Japan"] }));
    await addAlias(deps(), { alias: "한국", tag: "Korea", actor: "test" });
    await expect(addAlias(deps(), { alias: "japan", tag: "Korea", actor: "test" })).rejects.toMatchObject({
      code: "tag_in_use",
    });
    await expect(addAlias(deps(), { alias: "Nippon", tag: "Nihon", actor: "test" })).rejects.toThrow("Nihon");
    await take(site, item({ tags: ["한국"] }));
    expect(await tags()).toEqual(["Korea", "Japan"]);
  });
});

test("an item without a headline is refused by itself, and the others are taken", async () => {
  expect(await take(site, item({ title: " " }), item({ guid: "g2", url: "https://news.example/2" }))).toEqual([
    "refused",
    "added",
  ]);
});

test("two documents at once make no article twice", async () => {
  const many = Array.from({ length: 30 }, (_, i) => item({ guid: `g${i}`, url: `https://news.example/${i}` }));
  await Promise.all([take(site, ...many), take(other, ...many), take(site, ...many.toReversed())]);
  expect(await articles()).toHaveLength(30);
});

describe("more tags than there is room for", () => {
  const names = (count: number, of: string) => Array.from({ length: count }, (_, i) => `${of} ${i}`);

  test("an article has at most 50, those of its source among them, and says which it did not get", async () => {
    const source = { ...site, extra_tags: ["Telecoms"] };
    const [outcome] = await ingest(deps(), source, [item({ tags: names(60, "a") })]);
    expect(outcome!.leftOut).toEqual({ articleTags: names(60, "a").slice(49), newTags: [] });
    expect(await tags()).toEqual([...names(49, "a"), "Telecoms"]);
    const [more] = await ingest(deps(), other, [item({ guid: "x", tags: ["a 1", "b"] })]);
    expect(more).toMatchObject({ outcome: "unchanged", leftOut: { articleTags: ["b"] } });
    // What no article got is no tag.
    expect(await database.db.selectFrom("tags").select("id").execute()).toHaveLength(50);
  });

  test("one document makes at most 500 new ones, in its order; the next time it makes the rest", async () => {
    const many = Array.from({ length: 21 }, (_, i) =>
      item({ guid: `g${i}`, url: `https://news.example/${i}`, tags: names(25, `t${i}`) }),
    );
    const short = (outcomes: Awaited<ReturnType<typeof ingest>>) =>
      outcomes.flatMap(({ id, leftOut }) => (leftOut.newTags.length > 0 ? [{ id, tags: leftOut.newTags }] : []));
    const first = await ingest(deps(), site, many);
    expect(short(first)).toEqual([{ id: first[20]!.id, tags: names(25, "t20") }]);
    expect(tagProblems(first)).toMatchObject([{ code: "new_tags_over_limit", details: { tags: 25, articles: 1 } }]);
    const second = await ingest(deps(), site, many);
    expect(second.map(({ outcome }) => outcome).slice(-2)).toEqual(["unchanged", "updated"]);
    expect(short(second)).toEqual([]);
    expect(tagProblems(second)).toEqual([]);
  });
});

test("400 items with 30 new tags each leave the event loop its turns, in few statements", async () => {
  const thirty = (i: number) => Array.from({ length: 30 }, (_, j) => `n ${i} ${j}`);
  const many = Array.from({ length: 400 }, (_, i) =>
    item({ guid: `g${i}`, url: `https://news.example/${i}`, tags: thirty(i) }),
  );
  let statements = 0;
  let turns = 0;
  const count = (): void => {
    turns += 1;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  const counted = database.db.withPlugin({
    transformQuery: ({ node }) => ((statements += 1), node),
    transformResult: async ({ result }) => result,
  });
  await ingest({ db: counted, clock }, site, many);
  clearImmediate(timer);
  expect(turns).toBeGreaterThan(25);
  // Of which there were 25,000.
  expect(statements).toBeLessThan(400);
});

test("a second item for an article that an earlier batch has moved is that article", async () => {
  await take(site, item({ tags: [] }));
  const between = Array.from({ length: 60 }, (_, i) => item({ guid: `b${i}`, url: `https://news.example/b${i}` }));
  const moved = item({ url: "https://news.example/moved" });
  const late = item({ guid: null, title: "Variant", tags: ["late"] });
  const outcomes = await take(site, moved, ...between, late);
  expect([outcomes[0], outcomes.at(-1)]).toEqual(["updated", "updated"]);
  expect(await articles()).toHaveLength(61);
  expect((await articles())[0]).toMatchObject({ title: "LTE contract", url: "https://news.example/moved" });
});
