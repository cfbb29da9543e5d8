import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Db } from "../../src/db/schema.ts";
import { rearrange } from "../../src/editions/edit-held.ts";
import { freeze } from "../../src/editions/open.ts";
import { frozenArticleIds } from "../../src/editions/frozen-articles.ts";
import { getEdition } from "../../src/editions/store.ts";
import { freshRecords } from "../support/services.ts";

const readers = 100_000;
const tags = 60;
const articles = 40;
const sliceSize = 500;
const now = new Date("2026-11-24T07:00:00Z");

let database: Awaited<ReturnType<typeof freshRecords>>;
beforeAll(async () => {
  database = await freshRecords();
  await seed(database);
}, 120_000);
afterAll(() => database.close());

/**
 * Readers with 1 to 8 of 60 tags, every 500th with all tags and every 100th not active; articles with 0 to 3 tags, the
 * last ten tags without any, so that some readers match nothing.
 */
async function seed({ db }: { db: Db }): Promise<void> {
  await sql`select setseed(0.5)`.execute(db);
  await sql`
    insert into tags (key, name, created_at) select 't' || n, 'T' || n, ${now} from generate_series(1, ${tags}::int) n`.execute(
    db,
  );
  await sql`
    insert into subscribers (key, address, address_key, status, all_tags, created_at)
    select decode(md5(n::text), 'hex'), 'r' || n || '@d' || n % 50 || '.example', 'r' || n,
      case when n % 100 = 0 then 'pending' else 'active' end, n % 500 = 1, ${now}
    from generate_series(1, ${readers}::int) n`.execute(db);
  await sql`
    insert into subscriber_tags (subscriber_id, tag_id)
    select s.id, 1 + floor(random() * ${tags}::int)::int from subscribers s, generate_series(1, (1 + s.id % 8)::int)
    on conflict do nothing`.execute(db);
  await sql`
    insert into articles (url, url_key, title, summary, first_seen_at, eligible_at, changed_at)
    select 'https://news.example/' || n, 'news.example/' || n, 'Article ' || n, '', ${now}, ${now}, ${now}
    from generate_series(1, ${articles}::int) n`.execute(db);
  await sql`
    insert into article_tags (article_id, tag_id, position)
    select a.id, 1 + floor(random() * ${tags - 10}::int)::int, p from articles a, generate_series(1, (a.id % 4)::int) p
    on conflict do nothing`.execute(db);
  await sql`analyze`.execute(db);
}

it("fans one edition out to 100,000 readers in 10 s, each once and with just the articles of their tags", async () => {
  const { db } = database;
  const { id } = await db
    .insertInto("editions")
    .values({ date: "2026-11-24", number: 1, state: "opening", timezone: "UTC", due_at: now, opened_at: now })
    .returning("id")
    .executeTakeFirstOrThrow();
  const started = performance.now();
  const frozen = await db.transaction().execute((tx) => freeze(tx, { id, now, sliceSize }));
  expect(performance.now() - started).toBeLessThan(10_000);

  const expected = await naively(db);
  const rows = await db
    .selectFrom("deliveries as d")
    .innerJoin("cohorts as c", "c.id", "d.cohort_id")
    .select(["d.subscriber_id", "d.slice", "d.tag_ids", "d.domain", "c.positions"])
    .where("d.edition_id", "=", id)
    .orderBy("d.id")
    .execute();
  expect(rows.length).toBe(expected.size);
  expect(frozen).toMatchObject({ articles, readers: readers * 0.99, selected: rows.length });
  expect(frozen?.slices).toBe(Math.ceil(rows.length / sliceSize));
  const wrong = rows.filter((row) => row.positions.join() !== expected.get(row.subscriber_id!)?.join());
  expect(wrong).toEqual([]);
  expect(rows.filter((row, index) => row.slice !== Math.floor(index / sliceSize))).toEqual([]);

  const cohorts = await db.selectFrom("cohorts").select(["positions", "readers"]).execute();
  expect(cohorts.length).toBe(frozen?.cohorts);
  expect(new Set([...expected.values()].map(String)).size).toBe(cohorts.length);
  expect(cohorts.reduce((sum, cohort) => sum + cohort.readers, 0)).toBe(rows.length);
}, 60_000);

it("takes an article out of it while it is held, with its readers dealt anew, in 10 s", async () => {
  const { db } = database;
  await db.updateTable("editions").set({ state: "held", articles }).execute();
  const edition = await getEdition(db, "2026-11-24");
  const [lead] = await frozenArticleIds(db, edition.id);
  const started = performance.now();
  await db.transaction().execute((tx) => rearrange(tx, edition, { leaveOut: [lead!] }, now));
  expect(performance.now() - started).toBeLessThan(10_000);

  // Each delivery has its cohort, and each cohort as many deliveries as it says.
  const { rows } = await sql<{ deliveries: number; dealt: number; wrong: number }>`
    with counted as (select cohort_id as id, count(*)::int as readers from deliveries group by cohort_id)
    select (select count(*)::int from deliveries) as deliveries, sum(readers)::int as dealt,
      (select count(*)::int from cohorts full join counted using (id, readers) where cohorts.id is null or counted.id is null) as wrong
    from cohorts`.execute(db);
  expect(rows[0]).toMatchObject({ dealt: rows[0]!.deliveries, wrong: 0 });
}, 300_000);

/** The positions of each reader's articles, worked out one reader at a time. */
async function naively(db: Db): Promise<Map<number, number[]>> {
  const frozen = await db.selectFrom("edition_articles").select(["position", "tag_ids"]).orderBy("position").execute();
  const active = await db.selectFrom("subscribers").select(["id", "all_tags"]).where("status", "=", "active").execute();
  const wanted = new Map<number, Set<number>>();
  for (const { subscriber_id, tag_id } of await db.selectFrom("subscriber_tags").selectAll().execute()) {
    wanted.set(subscriber_id, (wanted.get(subscriber_id) ?? new Set()).add(tag_id));
  }
  const matches = active.map(({ id, all_tags }): [number, number[]] => {
    const mine = wanted.get(id) ?? new Set();
    const matching = frozen.filter((article) => all_tags || article.tag_ids.some((tag) => mine.has(tag)));
    return [id, matching.map((article) => article.position)];
  });
  return new Map(matches.filter(([, positions]) => positions.length > 0));
}

it("leaves out all readers above the cap of a warm-up, in 10 s", async () => {
  const { db } = database;
  await db.updateTable("articles").set({ edition_id: null }).execute();
  await sql`
    insert into provider_domains (domain, provider, expires_at)
    select 'd' || n || '.example', 'big', ${now} from generate_series(0, 24) n`.execute(db);
  const open = async (date: string): Promise<number> => {
    const values = { date, number: 1, state: "opening", timezone: "UTC", due_at: now, opened_at: now } as const;
    return (await db.insertInto("editions").values(values).returning("id").executeTakeFirstOrThrow()).id;
  };
  const id = await open("2026-11-25");
  const cap = 800;
  const warmUp = { date: "2026-11-25", day: 3, cap, hours: 1, planned: [] };
  const started = performance.now();
  const frozen = await db.transaction().execute((tx) => freeze(tx, { id, now, sliceSize, warmUp }));
  expect(performance.now() - started).toBeLessThan(10_000);

  const { rows } = await sql<{ provider: string; included: number }>`
    select coalesce(p.provider, d.domain) as provider, count(*) filter (where d.state = 'pending') as included
    from deliveries d left join provider_domains p on p.domain = d.domain
    where d.edition_id = ${id} group by 1`.execute(db);
  expect(rows).toHaveLength(26);
  expect(rows.every(({ included }) => included === cap)).toBe(true);
  expect(frozen?.warmUp?.leftOut).toBe(frozen!.selected - 26 * cap);
  const pending = sql<{ slice: number }>`
    select max(slice) as slice from deliveries where edition_id = ${id} and state = 'pending'`;
  expect((await pending.execute(db)).rows[0]!.slice).toBe(Math.ceil((26 * cap) / sliceSize) - 1);
}, 60_000);
