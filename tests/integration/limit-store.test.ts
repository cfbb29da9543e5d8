import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openEmbedded, type Database } from "../../src/db/open.ts";
import { noLimits, shareOf, type Ask } from "../../src/mail/shared-limits.ts";
import { beat } from "../../src/ledger/dead-senders.ts";
import { openLimitStore, sharedLimits } from "../../src/ledger/limit-store.ts";

let database: Database;
beforeAll(async () => void (database = await openEmbedded(null)));
afterAll(() => database.close());
beforeEach(async () => void (await sql`truncate sending_limits, senders`.execute(database.db)));

const quiet: Ask = { rate: null, lease: null };

test("leases of two workers follow each other without a gap, and a store that nobody used has no limits", async () => {
  const { db } = database;
  expect((await sharedLimits(db)).limits).toEqual(noLimits);
  const [one, two] = [openLimitStore(db, randomUUID()), openLimitStore(db, randomUUID())];
  const answers = await Promise.all([one, two, one].map((store) => store.exchange({ rate: 300, lease: "now" })));
  const leases = answers.map(({ lease }) => lease!).toSorted((a, b) => a.from - b.from);
  expect(leases.map(({ tokens, rate }) => [tokens, rate])).toEqual([
    [30, 300],
    [30, 300],
    [30, 300],
  ]);
  expect(leases[1]!.from - leases[0]!.from).toBeCloseTo(100, 1);
  expect(leases[2]!.from - leases[1]!.from).toBeCloseTo(100, 1);
  expect(Math.abs(answers[0]!.now - Date.now())).toBeLessThan(5_000);
});

test("a question that changes nothing writes nothing", async () => {
  const { db } = database;
  const store = openLimitStore(db, randomUUID());
  await store.exchange(quiet);
  const before = await sql<{ v: string }>`select xmin::text as v from sending_limits`.execute(db);
  await store.exchange(quiet);
  const after = await sql<{ v: string }>`select xmin::text as v from sending_limits`.execute(db);
  expect(after.rows).toEqual(before.rows);
});

test.each(["421 4.7.0 slow down", { key: "outcome.timeout", values: { seconds: 5 } } as const])(
  "a pause with its reason and quota reaches other workers: %s",
  async (reason) => {
    const { db } = database;
    const [one, two] = [openLimitStore(db, randomUUID()), openLimitStore(db, randomUUID())];
    const failed = { ms: 60_000, reason, failures: 3, quota: "day" as const };
    const told = await one.exchange({ ...quiet, failed });
    expect(told.pause).toMatchObject({ mine: false, reason, failures: 3 });
    expect((await sharedLimits(db)).limits.pause).toMatchObject({ reason, failures: 3, quota: "day" });
    const heard = await two.exchange({ rate: 5, lease: "now" });
    expect(heard).toMatchObject({ lease: null, pause: { mine: false, reason, failures: 3 } });
    expect(heard.pause!.waitMs).toBeGreaterThan(55_000);
    await sql`update sending_limits set paused_until = now() - interval '1 second'`.execute(db);
    expect((await two.exchange(quiet)).pause).toMatchObject({ mine: true, waitMs: 0 });
    expect((await one.exchange(quiet)).pause).toMatchObject({ mine: false, waitMs: 0 });
    expect((await one.exchange({ ...quiet, worked: true })).pause).toMatchObject({ mine: false });
    expect((await two.exchange({ ...quiet, worked: true })).pause).toBe(null);
    expect((await one.exchange(quiet)).pause).toBe(null);
  },
);

test("connections are shared by the live workers; a dead one gives its share back and a new one begins with one", async () => {
  const { db } = database;
  const ids = Array.from({ length: 3 }, () => randomUUID());
  for (const id of ids) await beat(db, id);
  const shares = async (): Promise<number[]> =>
    Promise.all(ids.map(async (id) => shareOf(10, (await openLimitStore(db, id).exchange(quiet)).workers)));
  expect(await shares()).toEqual([1, 1, 1]);
  await sql`update senders set started_at = started_at - interval '1 minute'`.execute(db);
  expect((await shares()).toSorted((a, b) => a - b)).toEqual([3, 3, 4]);
  await sql`update senders set beat_at = now() - interval '31 seconds' where id = ${ids[0]}`.execute(db);
  expect((await shares()).slice(1)).toEqual([5, 5]);
  await sql`delete from senders where id <> ${ids[2]}`.execute(db);
  expect((await shares())[2]).toBe(10);
  expect(shareOf(2, { others: 4, before: 3, ageMs: 60_000 })).toBe(1);
});

test("a rate that was halved grows from what is stored", async () => {
  const { db } = database;
  const [one, two] = [openLimitStore(db, randomUUID()), openLimitStore(db, randomUUID())];
  await one.exchange({ rate: 100, lease: null, tooFast: { sent: 80 } });
  expect((await two.exchange({ rate: 100, lease: "now" })).lease!.rate).toBeCloseTo(50, 0);
  await sql`update sending_limits set slowed_at = slowed_at - interval '20 seconds'`.execute(db);
  expect((await two.exchange({ rate: 100, lease: null })).rate).toBeCloseTo(70, 0);
  await sql`update sending_limits set slowed_at = slowed_at - interval '40 seconds'`.execute(db);
  expect((await two.exchange({ rate: 100, lease: null })).rate).toBe(100);
});
