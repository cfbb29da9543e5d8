import { Readable } from "node:stream";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ingest } from "../../../src/articles/ingest.ts";
import { listArticles, recentArticles } from "../../../src/articles/store.ts";
import { tagReach } from "../../../src/articles/tag-store.ts";
import { type Database, openEmbedded } from "../../../src/db/open.ts";
import type { Tx } from "../../../src/db/schema.ts";
import { comingArticles } from "../../../src/editions/upcoming.ts";
import { untouched } from "../../../src/editions/draft.ts";
import { freeze } from "../../../src/editions/open.ts";
import { addFeeds, getSource } from "../../../src/sources/store.ts";
import { importSubscribers } from "../../../src/subscribers/import.ts";
import { readCsv } from "../../../src/subscribers/import-rows.ts";
import { listSubscribers } from "../../../src/subscribers/store.ts";
import { movedClock } from "../../support/clock.ts";

const clock = movedClock("2026-11-24T06:00:00Z");
let database: Database;

beforeAll(async () => {
  database = await openEmbedded(null);
});
afterAll(() => database.close());

/** Rows of `tags` that were read one after the other while `work` ran, as the engine counts them; nothing is kept. */
async function tagsScanned(work: (tx: Tx) => Promise<unknown>): Promise<number> {
  const tx = await database.db.startTransaction().execute();
  try {
    await work(tx);
    const { rows } = await sql<{ read: number }>`
      select seq_tup_read as read from pg_stat_xact_user_tables where relname = 'tags'`.execute(tx);
    return rows[0]!.read;
  } finally {
    await tx.rollback().execute();
  }
}

test("on a fresh database with 2,000 tags none of these reads all of them for each article or reader", async () => {
  const { db } = database;
  const now = clock.now();
  await sql`insert into tags (key, name, created_at) select 'tag ' || n, 'Tag ' || n, ${now} from generate_series(1, 2000) n`.execute(
    db,
  );
  await sql`
    insert into articles (url, url_key, title, summary, first_seen_at, eligible_at, changed_at)
    select 'https://news.example/' || n, 'news.example/' || n, 'Headline ' || n, '', ${now}, ${now}, ${now}
    from generate_series(1, 300) n`.execute(db);
  await sql`
    insert into article_tags (article_id, tag_id, position)
    select a, 1 + (a * 7 + p * 131) % 2000, p from generate_series(1, 300) a, generate_series(1, 4) p`.execute(db);
  await sql`
    insert into subscribers (key, address, address_key, status, created_at)
    select uuid_send(gen_random_uuid()), 'r' || n, 'r' || n, 'active', ${now} from generate_series(1, 200) n`.execute(
    db,
  );
  await sql`
    insert into subscriber_tags select s, 1 + (s * 13 + p * 197) % 2000
    from generate_series(1, 200) s, generate_series(1, 5) p`.execute(db);
  const at = now;
  const edition = {
    date: "2026-11-24",
    number: 1,
    state: "opening",
    timezone: "UTC",
    due_at: at,
    opened_at: at,
  } as const;
  const { id } = await db.insertInto("editions").values(edition).returning("id").executeTakeFirstOrThrow();
  const works: Record<string, (tx: Tx) => Promise<unknown>> = {
    recent: (tx) => recentArticles(tx, { now, limit: 200 }),
    list: (tx) => listArticles(tx, { now, limit: 200 }),
    coming: (tx) => comingArticles(tx, now, untouched),
    freeze: (tx) => freeze(tx, { id, now, sliceSize: 500 }),
    readers: (tx) => listSubscribers(tx, { after: 0, limit: 200 }),
    reach: (tx) => tagReach(tx, 139),
  };
  for (const [name, work] of Object.entries(works)) expect([name, await tagsScanned(work)]).toEqual([name, 0]);
});

test("tables are analysed once a tenth of them has changed, by many small changes too", async () => {
  const { db } = database;
  await sql`truncate articles, tags, subscribers, sources cascade`.execute(db);
  await sql`analyze`.execute(db);
  const rows = async () => {
    const found = await sql<{ name: string; rows: number }>`
      select relname as name, reltuples::int as rows from pg_class where relname in ('articles', 'tags', 'subscribers')
      order by relname`.execute(db);
    return Object.fromEntries(found.rows.map((one) => [one.name, Math.max(0, one.rows)]));
  };
  const [id] = await addFeeds(db, [{ url: "https://news.example/feed" }], clock.now());
  const source = await getSource(db, id!);
  const give = (from: number, count: number) =>
    ingest(
      { db, clock },
      source,
      Array.from({ length: count }, (_, i) => ({
        guid: null,
        url: `https://news.example/${from + i}`,
        title: "News",
        summary: "",
        tags: [`tag ${from + i}`],
        publishedAt: null,
        origin: null,
      })),
    );
  await give(0, 120);
  expect(await rows()).toEqual({ articles: 0, subscribers: 0, tags: 0 });
  await give(120, 120);
  expect(await rows()).toEqual({ articles: 240, subscribers: 0, tags: 240 });
  const list = ["email,tags", ...Array.from({ length: 250 }, (_, i) => `r${i}@example.org,tag 1`)].join("\n");
  const options = { strict: false, dryRun: false, confirmed: true, createTags: false, actor: "test" };
  const lines = readCsv(Readable.from([list]));
  await importSubscribers({ db, clock, options: { secret: "a-secret-for-tests-only" } }, lines, options);
  expect(await rows()).toEqual({ articles: 240, subscribers: 250, tags: 240 });
});
