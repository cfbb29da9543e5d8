import { randomBytes, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { SubscriberStatus, Tx } from "../../src/db/schema.ts";
import { silentLog } from "../../src/base/log.ts";
import { ensurePartitions } from "../../src/deliveries/partitions.ts";
import { deliveryTable, type DeliveryOutcome } from "../../src/deliveries/claims.ts";
import { recordOutcome } from "../../src/outcomes/record.ts";
import { confirmAddressChange } from "../../src/subscribers/change-address.ts";
import { eraseIn } from "../../src/subscribers/erase.ts";
import { importSubscribers } from "../../src/subscribers/import.ts";
import type { ImportLine } from "../../src/subscribers/import-rows.ts";
import { lockOpenQuestions } from "../../src/subscribers/questions.ts";
import { lockReaders } from "../../src/subscribers/lock.ts";
import { suppressLeavers } from "../../src/subscribers/suppress-leavers.ts";
import { hashReaders, liftMany } from "../../src/subscribers/suppressed-readers.ts";
import { importSuppressions } from "../../src/subscribers/suppression-list.ts";
import { bounce, complaint, markSuppressed, suppress } from "../../src/subscribers/suppressions.ts";
import { expiringToken } from "../../src/subscribers/tokens.ts";
import { freshRecords } from "../support/services.ts";
import { eventually } from "../support/world.ts";

const now = new Date("2026-11-24T08:00:00Z");
const clock = { now: () => now };
const secret = randomBytes(24).toString("hex");
const sender = randomUUID();
const bounceAddress = null;
const options = { secret, bounceAddress };

let database: Awaited<ReturnType<typeof freshRecords>>;
let editionId = 0;
let cohortId = 0;
let nextId = 1;
beforeAll(async () => {
  database = await freshRecords();
  const edition = await sql<{ id: number }>`
    insert into editions (date, number, state, timezone, due_at, opened_at)
    values ('2026-11-24', 1, 'sending', 'UTC', ${now}, ${now}) returning id`.execute(database.db);
  editionId = edition.rows[0]!.id;
  await ensurePartitions(database.db);
  const cohort = await sql<{ id: number }>`
    insert into cohorts (edition_id, positions, readers) values (${editionId}, '{}', 2) returning id`.execute(
    database.db,
  );
  cohortId = cohort.rows[0]!.id;
});
afterAll(() => database.close());
beforeEach(async () => {
  await sql`truncate subscribers, suppressions cascade`.execute(database.db);
});

async function addReader(address: string, status: SubscriberStatus = "active", id = nextId++): Promise<number> {
  await sql`
    insert into subscribers (id, key, address, address_key, status, all_tags, created_at, confirmed_at, left_at)
    overriding system value
    values (${id}, ${randomBytes(16)}, ${address}, ${address}, ${status}, true, ${now}, ${now}, ${status === "active" ? null : now})`.execute(
    database.db,
  );
  return id;
}

/** A reader whom the edition's email has suppressed. */
async function addBounced(address: string, id = nextId++): Promise<number> {
  await addReader(address, "suppressed", id);
  await suppress(database.db, secret, { addressKey: address, reason: bounce, detail: null, now, editionId });
  return id;
}

async function statusOf(address: string): Promise<{ status: string; reason: string | null }> {
  const { status } = await database.db
    .selectFrom("subscribers")
    .select("status")
    .where("address_key", "=", address)
    .executeTakeFirstOrThrow();
  const found = await database.db.selectFrom("suppressions").select("reason").executeTakeFirst();
  return { status, reason: found?.reason ?? null };
}

/** The edition's delivery to a reader. @returns its id */
async function addDelivery(readerId: number): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into deliveries (edition_id, subscriber_id, cohort_id, slice, tag_ids, domain, state, claim)
    values (${editionId}, ${readerId}, ${cohortId}, 0, '{}', 'example.org', 'sending', ${sender}) returning id`.execute(
    database.db,
  );
  return rows[0]!.id;
}

/**
 * Runs `first` in a transaction, then starts `second`, and runs `then` in the transaction once `second` waits for a lock.
 * Resolves when both have ended.
 */
async function interleave(
  first: (tx: Tx) => Promise<unknown>,
  second: () => Promise<unknown>,
  then: (tx: Tx) => Promise<unknown> = async () => undefined,
): Promise<void> {
  let running: Promise<unknown> | undefined;
  const holding = database.db.transaction().execute(async (tx) => {
    await first(tx);
    running = second();
    running.catch(() => undefined);
    await waitForLock();
    await then(tx);
  });
  await holding;
  await running;
}

/** Resolves once a transaction waits for another. */
async function waitForLock(): Promise<void> {
  await eventually("a transaction waits", async () => {
    const waiting = sql`
      select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
    return (await waiting.execute(database.db)).rows.length > 0;
  });
}

const complain = (address: string) =>
  recordOutcome(
    { db: database.db, clock, options, noteGone: () => undefined, noteReport: async () => undefined },
    { address },
    { outcome: "complained", code: null, text: null, at: null, source: "api", guess: false },
  );
const importList = (...addresses: readonly string[]) =>
  importSuppressions(
    { db: database.db, clock, options },
    Readable.from([`address,reason\n${addresses.map((one) => `${one},unsubscribed\n`).join("")}`]),
    { strict: false, dryRun: false, actor: "test" },
  );
const lift = (tx: Tx) => liftMany(tx, secret, sql<boolean>`s.edition_id = ${editionId}`);

test("an import of suppressions waits for a bounce of a listed address, and the bounce does not wait for it", async () => {
  const addressKey = "ada@example.org";
  await addReader(addressKey);
  await interleave(
    (tx) => markSuppressed(tx, [addressKey], now),
    () => importList(addressKey),
    (tx) => suppress(tx, secret, { addressKey, reason: bounce, detail: null, now, editionId }),
  );
  // An entry of the list replaces what an edition brought.
  expect(await statusOf(addressKey)).toEqual({ status: "suppressed", reason: "unsubscribed" });
});

test("a reader who complains while an import of suppressions waits stays suppressed for good", async () => {
  await addReader("ada@example.org");
  await interleave(
    async (tx) => {
      await markSuppressed(tx, ["ada@example.org"], now);
      await suppress(tx, secret, { addressKey: "ada@example.org", reason: complaint, detail: null, now });
    },
    () => importList("ada@example.org"),
  );
  expect(await statusOf("ada@example.org")).toEqual({ status: "suppressed", reason: "complaint" });
});

test("a complaint that comes while a suppression is removed suppresses the reader again", async () => {
  await addBounced("ada@example.org");
  await interleave(lift, () => complain("ada@example.org"));
  expect(await statusOf("ada@example.org")).toEqual({ status: "suppressed", reason: "complaint" });
});

test("a removal of suppressions that waits for a complaint leaves the reader suppressed", async () => {
  await addBounced("ada@example.org");
  await interleave(
    async (tx) => {
      await markSuppressed(tx, ["ada@example.org"], now);
      await suppress(tx, secret, { addressKey: "ada@example.org", reason: complaint, detail: null, now });
    },
    () => database.db.transaction().execute(lift),
  );
  expect(await statusOf("ada@example.org")).toEqual({ status: "suppressed", reason: "complaint" });
});

const inTransaction = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => database.db.transaction().execute(work);
const leaver = (addressKey: string) => ({ addressKey, reason: bounce, at: null, detail: null });

/** The addresses are not in the order of the ids. */
const [first, second] = ["zoe@example.org", "ada@example.org"] as const;

test.each<[string, SubscriberStatus, () => Promise<unknown>]>([
  ["an import of suppressions", "active", () => importList(second, first)],
  [
    "an import of readers who left",
    "active",
    () => inTransaction((tx) => suppressLeavers(tx, secret, [second, first].map(leaver), now)),
  ],
  ["a removal of suppressions", "suppressed", () => inTransaction(lift)],
  ["the relay's replies", "active", () => settleGone(second, first)],
  ["the end of questions", "active", () => endQuestions(second, first)],
  ["a change of address", "suppressed", () => moveReader(second, first)],
])("%s locks readers in the order of their ids", async (_name, status, work) => {
  // Without an order, PostgreSQL would come to the second row first, which was inserted first.
  const id = nextId++;
  const later = nextId++;
  for (const [address, one] of [
    [second, later],
    [first, id],
  ] as const) {
    await (status === "active" ? addReader(address, status, one) : addBounced(address, one));
  }
  let free: unknown[] = [];
  await interleave(
    (tx) => lockReaders(tx, sql<boolean>`s.id = ${id}`),
    work,
    async () => {
      const found = sql`select id from subscribers where id = ${later} for no key update skip locked`;
      free = (await found.execute(database.db)).rows;
    },
  );
  expect(free).toEqual([{ id: later }]);
});

test("readers who are being changed get their hashes later", async () => {
  const [id, other] = [nextId++, nextId++];
  await addBounced(first, id);
  await addBounced(second, other);
  await inTransaction(async (tx) => {
    await lockReaders(tx, sql<boolean>`s.id = ${id}`);
    await hashReaders(database.db, secret);
  });
  const hashed = await database.db
    .selectFrom("subscribers")
    .select("id")
    .where("address_hash", "is not", null)
    .execute();
  expect(hashed).toEqual([{ id: other }]);
});

test("an import of suppressions waits for an import of readers with the same addresses in another order", async () => {
  const ids = [await addReader(first), await addReader(second)];
  const left = (address: string, line: number): ImportLine => ({
    line,
    leaver: { address, suppress: bounce, at: null },
  });
  let goOn = (): void => undefined;
  const middle = new Promise<void>((resolve) => (goOn = resolve));
  let reached = (): void => undefined;
  const written = new Promise<void>((resolve) => (reached = resolve));
  async function* lines() {
    yield left(second, 1);
    for (let line = 2; line <= 250; line += 1) yield left(`gone${line}@example.org`, line);
    reached();
    await middle;
    yield left(first, 251);
  }
  const importing = importSubscribers({ db: database.db, clock, options }, lines(), {
    strict: false,
    dryRun: false,
    confirmed: true,
    createTags: false,
    actor: "test",
  });
  await written;
  const other = importList(first, second);
  await waitForLock();
  goOn();
  expect(await importing).toMatchObject({ suppressed: 251, imported: true });
  expect(await other).toMatchObject({ suppressed: 0, unchanged: 2 });
  const readers = database.db.selectFrom("subscribers").select("id").where("status", "=", "suppressed").orderBy("id");
  expect((await readers.execute()).map(({ id }) => id)).toEqual(ids);
});

test("an erasure that waits for its reader leaves their question to the transaction that has locked the reader", async () => {
  const reader = { id: await addReader("ada@example.org"), address: "ada@example.org" };
  const [question] = await addQuestions("ada@example.org");
  let free: unknown[] = [];
  await interleave(
    (tx) => lockReaders(tx, sql<boolean>`s.id = ${reader.id}`),
    () => inTransaction((tx) => eraseIn(tx, reader, now)),
    async () => {
      const found = sql`select id from questions where id = ${question} for update skip locked`;
      free = (await found.execute(database.db)).rows;
    },
  );
  expect(free).toEqual([{ id: question }]);
});

/** @returns their ids */
async function addQuestions(...addresses: readonly string[]): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    insert into questions (subscriber_id, cause, asked_at)
    select s.id, 'silence', ${now} from unnest(${addresses}::text[]) with ordinality as g(address, n)
    join subscribers s on s.address_key = g.address order by g.n
    returning id`.execute(database.db);
  return rows.map(({ id }) => id);
}

async function endQuestions(...addresses: readonly string[]): Promise<void> {
  const ids = await addQuestions(...addresses);
  const open = await inTransaction((tx) =>
    lockOpenQuestions(tx, { sentBefore: now, cause: "silence", after: 0, limit: 10 }),
  );
  expect(open.map(({ id }) => id)).toEqual(ids);
}

/** Confirms that a reader moves to another's address. */
async function moveReader(from: string, to: string): Promise<void> {
  const key = randomBytes(16);
  await sql`
    insert into address_changes (key, subscriber_id, address, address_key, created_at)
    select ${key}, id, ${to}, ${to}, ${now} from subscribers where address_key = ${from}`.execute(database.db);
  const token = expiringToken(secret, "change-address", key, new Date(now.getTime() + 3_600_000));
  const wake = async (): Promise<void> => undefined;
  await confirmAddressChange({ db: database.db, clock, log: silentLog, wake, options }, token, null);
  expect(await statusOf(to)).toMatchObject({ status: "active" });
}

/** Settles deliveries to readers whose addresses do not exist according to the relay. */
async function settleGone(...addresses: readonly string[]): Promise<void> {
  const outcomes: DeliveryOutcome[] = [];
  for (const address of addresses) {
    const reader = sql<{ id: number }>`select id from subscribers where address_key = ${address}`;
    const id = await addDelivery((await reader.execute(database.db)).rows[0]!.id);
    outcomes.push({ id, editionId, state: "rejected", reply: "550 5.1.1", dueAt: null, suppress: true });
  }
  const table = deliveryTable({
    reopen: async () => undefined,
    suppress: (tx, { reply, ...gone }) => suppress(tx, secret, { ...gone, reason: bounce, detail: reply }),
    suppressed: () => undefined,
  });
  await inTransaction((tx) => table.settle(tx, sender, outcomes, now));
}
