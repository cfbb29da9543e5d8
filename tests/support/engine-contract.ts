import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import { noTrace } from "../../src/base/trace.ts";
import { migrate, migrateQueue, readMigrations } from "../../src/db/migrate.ts";
import type { Database } from "../../src/db/open.ts";
import type { Tx } from "../../src/db/schema.ts";
import { claim, settle, type DeliveryOutcome } from "../../src/deliveries/claims.ts";
import { openEdition } from "../../src/editions/open.ts";
import { lockOpening } from "../../src/editions/store.ts";
import { noLimits } from "./no-limits.ts";

const now = new Date("2026-11-24T07:00:00.123Z");

/**
 * What the rest of the program relies on, whichever engine keeps the records. Run it once for each of them.
 * @param open gives a database of this test file's own; what it holds is dropped and made anew here
 */
export function engineContract(name: string, open: () => Promise<Database>): void {
  describe(`the records on ${name}`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await open();
      await emptied(database);
    });
    afterAll(() => database.close());

    migrations(() => database);
    types(() => database);
    transactions(() => database);
    notifications(() => database);
    claims(() => database);
    openings(() => database);
  });
}

/** Leaves no table of ours nor of BullMQ's. */
async function emptied({ pool }: Database): Promise<void> {
  await pool.query("drop schema public cascade");
  await pool.query("create schema public");
  await pool.query("drop schema if exists bullmq cascade");
}

function migrations(get: () => Database): void {
  describe("migrations", () => {
    it("run once, however many nodes start at the same time", async () => {
      const { pool } = get();
      const applied = await Promise.all(Array.from({ length: 4 }, () => migrate(pool)));
      expect(applied.flat()).toEqual(readMigrations().map((migration) => migration.name));
      expect(await migrate(pool)).toEqual([]);
    });

    // More than once: what a connection believes of a schema that is not there yet depends on who came first.
    it("run once for the queue's tables too", async () => {
      const { pool } = get();
      for (let round = 0; round < 10; round++) {
        await pool.query("drop schema if exists bullmq cascade");
        await Promise.all(Array.from({ length: 4 }, () => migrateQueue(pool)));
      }
      const { rows } = await pool.query("select to_regclass('bullmq.migration') is not null as made");
      expect(rows).toEqual([{ made: true }]);
    });

    it("leave nothing behind when one of them fails", async () => {
      const { pool } = get();
      const broken = { version: 9998, name: "9998-broken", sql: "create table half (id int); select no_such_column" };
      await expect(migrate(pool, [...readMigrations(), broken])).rejects.toThrow(/no_such_column/);
      const { rows } = await pool.query("select to_regclass('half') as half");
      expect(rows).toEqual([{ half: null }]);
      expect(await migrate(pool)).toEqual([]);
    });

    it("leave no table to be read whole whenever a row that it refers to is deleted", async () => {
      // Of these many go at once; editions, sources and operators go one at a time, or never.
      const { rows } = await get().pool.query(`
        select c.conrelid::regclass::text || '.' || a.attname as reference
        from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'f' and c.confrelid::regclass::text in ('articles', 'tags', 'cohorts', 'subscribers', 'consents')
          and not exists (select 1 from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1])`);
      expect(rows).toEqual([]);
    });

    it("are refused on the database of a newer release, by name", async () => {
      const { pool } = get();
      await pool.query("insert into schema_versions (version, name) values (9999, '9999-later')");
      const refusal = await migrate(pool).catch((error: unknown) => error);
      await pool.query("delete from schema_versions where version = 9999");
      expect(refusal).toMatchObject({ name: "Refusal", code: "database_too_new", details: { schema: "9999-later" } });
    });
  });
}

function types(get: () => Database): void {
  describe("values", () => {
    it.each<[string, unknown]>([
      ["9007199254740991::int8", 9007199254740991],
      ["array[1, 9007199254740991]::int8[]", [1, 9007199254740991]],
      ["7::int2", 7],
      ["1.50::numeric", "1.50"],
      ["1.5::float8", 1.5],
      ["true", true],
      ["null::text", null],
      ["'2026-11-24'::date", "2026-11-24"],
      ["array['2026-11-24'::date]", ["2026-11-24"]],
      ["'2026-11-24 08:00:00.123+01'::timestamptz", now],
      [`'{"a": [1, "한국"]}'::jsonb`, { a: [1, "한국"] }],
      ["array[3, 1, 2]", [3, 1, 2]],
      ["'{}'::int[]", []],
      [`array['lg u+', null, 'a "b", {c}\\d']`, ["lg u+", null, 'a "b", {c}\\d']],
      ["'\\x00ff'::bytea", Buffer.from([0, 255])],
      ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ])("%s reads as %j", async (expression, value) => {
      const { rows } = await get().pool.query(`select ${expression} as value`);
      expect(rows).toEqual([{ value }]);
    });

    it.each<[string, unknown]>([
      ["timestamptz", now],
      ["bytea", Buffer.from([0, 1, 254, 255])],
      ["int[]", [3, 1, 2]],
      ["text[]", ["c++", 'q"uote', "com,ma", "{brace}", "back\\slash", "", null]],
      ["text", "lg u+ 한국 \u{1F4F0} '; drop table x --"],
      ["int8", 9007199254740991],
      ["date", "2026-11-24"],
    ])("a %s comes back as it was given", async (type, value) => {
      const { rows } = await get().pool.query(`select $1::${type} as value`, [value]);
      expect(rows).toEqual([{ value }]);
    });

    it("count what a statement changed", async () => {
      const changed = await get().pool.query("update schema_versions set applied_at = applied_at");
      expect(changed.rowCount).toBe(readMigrations().length);
    });
  });
}

function transactions(get: () => Database): void {
  describe("transactions", () => {
    beforeAll(() => get().pool.query("create table box (item int)"));
    beforeEach(() => get().pool.query("truncate box"));
    const count = async (): Promise<number> => {
      const { rows } = await get().pool.query<{ count: number }>("select count(*) from box");
      return rows[0]!.count;
    };

    it("that throw leave nothing", async () => {
      const failing = get()
        .db.transaction()
        .execute(async (tx) => {
          await sql`insert into box values (1)`.execute(tx);
          throw new Error("changed my mind");
        });
      await expect(failing).rejects.toThrow("changed my mind");
      expect(await count()).toBe(0);
    });

    it("are seen by others whole or not at all", async () => {
      const { db } = get();
      const seen: Promise<number>[] = [];
      await db.transaction().execute(async (tx) => {
        await sql`insert into box values (1)`.execute(tx);
        seen.push(count());
        await sql`insert into box values (2)`.execute(tx);
        seen.push(count());
      });
      for (const number of await Promise.all(seen)) expect([0, 2]).toContain(number);
      expect(await count()).toBe(2);
    });

    it("that are rolled back were never seen", async () => {
      const { db } = get();
      const seen: Promise<number>[] = [];
      const failing = db.transaction().execute(async (tx) => {
        await sql`insert into box values (1)`.execute(tx);
        seen.push(count());
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      expect(await Promise.all(seen)).toEqual([0]);
    });

    it("do nothing more after an error until they end, and then the client is as new", async () => {
      const client = await get().pool.connect();
      try {
        await client.query("begin");
        await client.query("insert into box values (1)");
        await expect(client.query("select 1 / 0")).rejects.toMatchObject({ code: "22012" });
        await expect(client.query("insert into box values (2)")).rejects.toMatchObject({ code: "25P02" });
        await client.query("rollback");
        await client.query("insert into box values (3)");
      } finally {
        client.release();
      }
      expect(await count()).toBe(1);
    });

    it("go back to a savepoint and keep what came before it", async () => {
      const client = await get().pool.connect();
      try {
        await client.query("begin");
        await client.query("insert into box values (1)");
        await client.query("savepoint here");
        await expect(client.query("insert into box values ('x')")).rejects.toMatchObject({ code: "22P02" });
        await client.query("rollback to savepoint here");
        await client.query("commit");
      } finally {
        client.release();
      }
      expect(await count()).toBe(1);
    });

    it("add up when three hundred run at once and one in seven changes its mind", async () => {
      const { db } = get();
      await sql`insert into box values (0)`.execute(db);
      const runs = Array.from({ length: 300 }, (_, run) =>
        db
          .transaction()
          .execute(async (tx) => {
            await sql`select item from box for update`.execute(tx);
            await sql`update box set item = item + 1`.execute(tx);
            if (run % 7 === 0) throw new Error("undone");
          })
          .catch(() => undefined),
      );
      await Promise.all(runs);
      const { rows } = await sql<{ item: number }>`select item from box`.execute(db);
      expect(rows).toEqual([{ item: 300 - Math.ceil(300 / 7) }]);
    });
  });
}

function notifications(get: () => Database): void {
  describe("notifications", () => {
    it("reach whoever listens to the channel, after the commit, and nobody else", async () => {
      const { pool } = get();
      const [ours, theirs, sender] = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
      const overheard: unknown[] = [];
      theirs.on("notification", (message) => overheard.push(message));
      try {
        await ours.query("-- What is new.\n-- listen other\nLISTEN News;\n");
        await theirs.query('listen "other"');
        await sender.query("begin");
        await sender.query("select pg_notify('news', 'lost')");
        await sender.query("rollback");
        const heard = once(ours, "notification");
        await sender.query("select pg_notify('news', 'lg u+')");
        expect((await heard)[0]).toMatchObject({ channel: "news", payload: "lg u+" });

        await ours.query("unlisten *");
        const proof = once(theirs, "notification");
        const unwanted: unknown[] = [];
        ours.on("notification", (message) => unwanted.push(message));
        await sender.query("select pg_notify('news', 'nobody')");
        await sender.query("select pg_notify('other', 'yes')");
        await proof;
        expect(unwanted).toEqual([]);
        expect(overheard).toHaveLength(1);
      } finally {
        await theirs.query("unlisten *");
        for (const client of [ours, theirs, sender]) client.release();
      }
    });
  });
}

function claims(get: () => Database): void {
  it("gives eight concurrent takers 800 deliveries, none twice, and settles each once", async () => {
    const { db } = get();
    const editionId = await editionWithDeliveries(db, 800);
    const taken = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const sender = randomUUID();
        const mine: number[] = [];
        for (;;) {
          const request = { editionId, slice: 0, rooms: noLimits, sender, count: 7, now };
          const { claimed } = await db.transaction().execute((tx) => claim(tx, request));
          if (claimed.length === 0) return mine;
          mine.push(...claimed.map((delivery) => delivery.id));
          const outcomes = sentOf(editionId, claimed);
          await db.transaction().execute((tx) => settle(tx, sender, outcomes, now));
        }
      }),
    );
    expect(taken.flat()).toHaveLength(800);
    expect(new Set(taken.flat()).size).toBe(800);
    const states = await db
      .selectFrom("deliveries")
      .select(["state", "attempts", (eb) => eb.fn.countAll<number>().as("count")])
      .groupBy(["state", "attempts"])
      .execute();
    expect(states).toEqual([{ state: "sent", attempts: 1, count: 800 }]);
  });

  it("reads about the rows that it takes and settles, in a small edition after a large one", async () => {
    const { db } = get();
    const large = await editionWithDeliveries(db, 1);
    // Erased readers.
    await sql`
      insert into deliveries (edition_id, cohort_id, slice, tag_ids, domain, state)
      select ${large}::bigint, 1, 0, '{}', 'example.com', 'sent' from generate_series(1, 20000)`.execute(db);
    await sql`analyze deliveries`.execute(db);
    const editionId = await editionWithDeliveries(db, 500);
    const sender = randomUUID();
    const claimed: { id: number }[] = [];
    const claiming = await rowsRead(db, async (tx) => {
      claimed.push(...(await claim(tx, { editionId, slice: 0, rooms: noLimits, sender, count: 50, now })).claimed);
    });
    const outcomes = sentOf(editionId, claimed);
    const settling = await rowsRead(db, (tx) => settle(tx, sender, outcomes, now));
    expect(claimed).toHaveLength(50);
    expect(claiming).toBeLessThan(300);
    expect(settling).toBeLessThan(300);
  });
}

/** Rows of deliveries that `work` reads, as the engine counts them. */
async function rowsRead(db: Database["db"], work: (tx: Tx) => Promise<unknown>): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const rows = sql<{ read: number }>`
      select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as read
      from pg_stat_xact_user_tables where relname like 'deliveries%'`;
    const before = (await rows.execute(tx)).rows[0]!.read;
    await work(tx);
    return (await rows.execute(tx)).rows[0]!.read - before;
  });
}

/** Each call makes the edition of another date. Its readers are the same each time. */
async function editionWithDeliveries(db: Database["db"], readers: number): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into editions (date, number, state, timezone, due_at, opened_at)
    select '2026-01-01'::date + count(*)::int, 1, 'sending', 'UTC', ${now}, ${now} from editions returning id`.execute(
    db,
  );
  const { id } = rows[0]!;
  await sql`
    insert into subscribers (key, address, address_key, status, created_at)
    select decode(md5('reader' || n), 'hex'), 'r' || n || '@example.com', 'r' || n || '@example.com', 'active', ${now}
    from generate_series(1, ${readers}::int) n on conflict (address_key) do nothing`.execute(db);
  await sql`insert into cohorts (edition_id, positions, readers) values (${id}, '{0}', ${readers})`.execute(db);
  await sql`
    insert into deliveries (edition_id, subscriber_id, cohort_id, slice, tag_ids, domain)
    select ${id}, s.id, c.id, 0, '{}', 'example.com' from cohorts c, (select id from subscribers order by id limit ${readers}) s
    where c.edition_id = ${id}`.execute(db);
  return id;
}

function openings(get: () => Database): void {
  describe("the lock of opening", () => {
    it("lets the second one in after the first one's commit", async () => {
      const { db } = get();
      const order: string[] = [];
      let second: Promise<void> | undefined;
      await db.transaction().execute(async (tx) => {
        await lockOpening(tx);
        second = db.transaction().execute(async (other) => {
          await lockOpening(other);
          order.push("second");
        });
        await sql`select pg_sleep(0.05)`.execute(tx);
        order.push("first");
      });
      await second;
      expect(order).toEqual(["first", "second"]);
    });

    it("makes one edition of eight simultaneous openings of a date", async () => {
      const { db } = get();
      const deps = {
        db,
        clock: { now: () => now },
        log: silentLog,
        trace: noTrace,
        gather: async () => undefined,
        options: { sliceSize: 500, expireHours: 24, warmupStart: null, warmupSchedule: [], warmupHours: 1 },
      };
      const request = { date: "2026-11-24", dueAt: now, timezone: "UTC", extra: false };
      const opened = await Promise.all(Array.from({ length: 8 }, () => openEdition(deps, request)));
      expect(opened.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(opened.map(({ edition }) => edition.id)).size).toBe(1);
    });
  });
}

/** The outcomes of deliveries that the relay has accepted. */
function sentOf(editionId: number, claimed: readonly { id: number }[]): DeliveryOutcome[] {
  return claimed.map(({ id }) => ({ id, editionId, state: "sent", reply: "250 ok", dueAt: null }));
}
