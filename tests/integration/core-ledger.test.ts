import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { sql, type Transaction } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadFacts } from "../../src/alerts/store.ts";
import { silentLog } from "../../src/base/log.ts";
import type { Db, Schema } from "../../src/db/schema.ts";
import { deliverSlice } from "../../src/deliveries/deliver-slice.ts";
import {
  deliveryTable,
  type DeliveryEffects,
  type DeliveryLedger,
  type DeliveryOutcome,
} from "../../src/deliveries/claims.ts";
import { bringForward } from "../../src/deliveries/store.ts";
import { createLedger } from "../../src/ledger/ledger.ts";
import { beat, sweepDeadClaims } from "../../src/ledger/dead-senders.ts";
import { actOnEdition } from "../../src/editions/operator-actions.ts";
import { closeEdition } from "../../src/editions/close.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { type EditionAction, reopenEditions } from "../../src/editions/state.ts";
import { getEdition } from "../../src/editions/store.ts";
import { erase } from "../../src/subscribers/erase.ts";
import { createSmtpTransport } from "../../src/mail/smtp.ts";
import { listAudit } from "../../src/audit/audit.ts";
import { recover } from "../../src/alerts/recover.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { findByAddress } from "../../src/subscribers/store.ts";
import { unsubscribe } from "../../src/subscribers/leave.ts";
import { suppress as keepOut, suppressAddress } from "../../src/subscribers/suppressions.ts";
import { movedClock } from "../support/clock.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink } from "../support/sink.ts";
import { eventually, openWorld, type World } from "../support/world.ts";
import { noLimits } from "../support/no-limits.ts";

const connections = 4;
const date = "2026-11-24";
const clock = movedClock(`${date}T07:00:00Z`);
let world: World;
let editionId: number;

/** An edition that is being sent, with nobody at work on it. */
async function begin(readers: number): Promise<void> {
  await addAllNewsReaders(
    world.app,
    Array.from({ length: readers }, (_, i) => `r${i}@example.org`),
  );
  await addArticle(world.app, "News");
  ({ id: editionId } = await sendNow(world.app, { extra: false, actor: "test" }));
  await renderEdition(world.app, editionId);
}

beforeAll(async () => {
  world = await openWorld({ clock });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(`${date}T07:00:00Z`);
  await sql`truncate editions, articles, subscribers, senders restart identity cascade`.execute(world.app.db);
});

const sums = async () => (await editionStatus(world.app.db, await getEdition(world.app.db, date))).balance;
const act = (action: EditionAction) => actOnEdition(world.app, { date, number: 1, action, actor: "test" });
const open = (options: { db?: Db } & Partial<DeliveryEffects> = {}): DeliveryLedger & { sender: string } => {
  const sender = randomUUID();
  const [suppress, suppressed] = [async () => undefined, () => undefined];
  const { db = world.app.db, ...effects } = options;
  const table = deliveryTable({ reopen: reopenEditions, suppress, suppressed, ...effects });
  const ledger = createLedger({ db, clock, log: silentLog, sender, most: 2 * connections, table });
  return { ...ledger, sender };
};
const take = async (ledger: DeliveryLedger, count: number) =>
  (await ledger.claim({ editionId, slice: 0, rooms: noLimits, count: () => count })).claimed.map((one) => one.id);
const told = (id: number, state: DeliveryOutcome["state"]): DeliveryOutcome => ({
  id,
  editionId,
  state,
  reply: `250 ${state}`,
  dueAt: state === "deferred" ? new Date(clock.now().getTime() + 60_000) : null,
});

/** A database whose transactions pass `hook` when they have been committed. */
function watched(hook: () => Promise<void>): Db {
  const { db } = world.app;
  const execute = async <T>(work: (tx: Transaction<Schema>) => Promise<T>): Promise<T> => {
    const answer = await db.transaction().execute(work);
    await hook();
    return answer;
  };
  return { transaction: () => ({ execute }) } as unknown as Db;
}

test("an answer that comes after its reader was erased keeps no address", async () => {
  await begin(1);
  const ledger = open();
  const [id] = await take(ledger, 1);
  await erase({ ...world.app, clock }, 1);
  ledger.record({ ...told(id!, "rejected"), reply: "550 5.1.1 <r0@example.org>: no such user" });
  await ledger.close(5_000);
  const { state, reply } = await world.app.db.selectFrom("deliveries").selectAll().executeTakeFirstOrThrow();
  expect([state, reply]).toEqual(["rejected", "550 5.1.1 <<address>>: no such user"]);
});

test("at every commit no more rows are being sent than twice the process's connections", async () => {
  await begin(120);
  let turn = 0;
  const sink = await startSink({ onRcpt: () => ((turn += 1) % 3 === 0 ? "550 5.1.1 No such user" : null), delayMs: 1 });
  const { hostname: host, port } = new URL(sink.url);
  const relay = { host, port: Number(port), secure: false, requireTls: false, user: null, password: null };
  const transport = createSmtpTransport({ clock, log: silentLog }, { ...relay, connections, rate: null });
  let most = 0;
  const ledger = open({
    // The transaction takes a while, and mails are answered meanwhile.
    suppress: () => wait(4),
    db: watched(async () => {
      const { rows } = await sql<{ n: number }>`select count(*) as n from deliveries where state = 'sending'`.execute(
        world.app.db,
      );
      most = Math.max(most, rows[0]!.n);
    }),
  });
  await deliverSlice({ ...world.app, transport, ledger }, { editionId, slice: 0 }, new AbortController().signal);
  expect(sink.count()).toBe(80);
  expect(most).toBeLessThanOrEqual(2 * connections);
  expect(most).toBeGreaterThan(1);
  await transport.close(0);
  await sink.close();
});

test("once an edition is to be paused, nothing follows what is at the relay", async () => {
  await begin(60);
  const sink = await startSink({ onMail: () => "550 5.7.1 Blocked", delayMs: 1 });
  const { hostname: host, port } = new URL(sink.url);
  const relay = { host, port: Number(port), secure: false, requireTls: false, user: null, password: null };
  const transport = createSmtpTransport({ clock, log: silentLog }, { ...relay, connections, rate: null });
  let refusals = 0;
  const watch = () => (refusals += 1) === 10;
  const deps = { ...world.app, transport, ledger: open(), watch };
  await deliverSlice(deps, { editionId, slice: 0 }, new AbortController().signal);
  const { rejected, pending } = await sums();
  expect(rejected).toBeGreaterThanOrEqual(10);
  expect(rejected).toBeLessThan(10 + connections);
  expect(pending).toBe(60 - rejected);
  await transport.close(0);
  await sink.close();
});

test("a commit whose answer was lost costs neither a reader nor an outcome", async () => {
  await begin(8);
  let lose = false;
  const ledger = open({
    db: watched(async () => {
      if (lose) throw new Error("Connection terminated unexpectedly");
    }),
  });
  const [first, second] = (await take(ledger, 2)) as [number, number];
  ledger.record(told(first, "sent"));
  lose = true;
  await expect(take(ledger, 3)).rejects.toThrow("terminated");
  expect(await sums()).toMatchObject({ sent: 1, sending: 4 });
  lose = false;
  await eventually("what nobody sends is free again", async () => (await sums()).sending === 1);
  ledger.record(told(second, "sent"));
  const more = await take(ledger, connections);
  expect(more).not.toContain(second);
  expect(more).toHaveLength(connections);
  for (const id of more) ledger.record(told(id, "sent"));
  await ledger.flush();
  expect(await sums()).toMatchObject({ sent: 6, pending: 2, sending: 0 });
});

test("nothing to write and no room for more opens no transaction", async () => {
  await begin(3 * connections);
  let transactions = 0;
  const ledger = open({ db: watched(async () => void (transactions += 1)) });
  await ledger.flush();
  expect(transactions).toBe(0);
  const ids = await take(ledger, 2 * connections);
  expect(await ledger.claim({ editionId, slice: 0, rooms: noLimits, count: () => 1 })).toMatchObject({
    asked: 0,
    claimed: [],
  });
  await ledger.flush();
  expect(transactions).toBe(1);
  for (const id of ids) ledger.record(told(id, "sent"));
  await ledger.flush();
  await ledger.close(5_000);
  expect(transactions).toBe(2);
});

describe("what was claimed and not handed over", () => {
  const rowOf = (id: number) =>
    world.app.db
      .selectFrom("deliveries")
      .select(["state", "attempts", "due_at", "claim", "reason_code", "reply"])
      .where("id", "=", id)
      .executeTakeFirstOrThrow();

  test("is deferred again if it was, until the same time", async () => {
    await begin(1);
    const ledger = open();
    const [id] = (await take(ledger, 1)) as [number];
    ledger.record(told(id, "deferred"));
    await ledger.flush();
    const before = await rowOf(id);
    expect(before).toMatchObject({ state: "deferred", attempts: 1, reply: "250 deferred" });
    clock.advance(60_000);
    expect(await take(ledger, 1)).toEqual([id]);
    await ledger.giveBack([id]);
    expect(await rowOf(id)).toEqual(before);
    expect(await take(ledger, 1)).toEqual([id]);
  });

  test("is pending again if it was new", async () => {
    await begin(1);
    const ledger = open();
    const [id] = (await take(ledger, 1)) as [number];
    await ledger.giveBack([id]);
    expect(await rowOf(id)).toMatchObject({ state: "pending", attempts: 0, claim: null, due_at: null });
  });

  test("is skipped if the edition was cancelled meanwhile", async () => {
    await begin(2);
    const ledger = open();
    const [id] = (await take(ledger, 1)) as [number];
    await act("cancel");
    await ledger.giveBack([id]);
    expect(await rowOf(id)).toMatchObject({ state: "skipped", reason_code: "edition_cancelled", claim: null });
    expect(await sums()).toMatchObject({ skipped: 2, pending: 0 });
  });
});

test("only what was deferred since a pause began is due when the pause is ended, and not what a dead sender left", async () => {
  await begin(3);
  const now = clock.now();
  const minutes = (n: number) => new Date(now.getTime() + n * 60_000);
  const rows = [
    { settled_at: minutes(-10), reason_code: null },
    { settled_at: minutes(-90), reason_code: null },
    { settled_at: minutes(-10), reason_code: "sender_stopped" as const },
  ];
  for (const [n, row] of rows.entries()) {
    await world.app.db
      .updateTable("deliveries")
      .set({ state: "deferred", due_at: minutes(20), ...row })
      .where("id", "=", n + 1)
      .execute();
  }
  await world.app.db.transaction().execute((tx) => bringForward(tx, { since: minutes(-30), until: minutes(30) }, now));
  const due = await world.app.db.selectFrom("deliveries").select("due_at").orderBy("id").execute();
  expect(due.map((one) => one.due_at)).toEqual([now, minutes(20), minutes(20)]);
});

describe("the truth comes late", () => {
  const sweep = (self: string, policy: "hold" | "resend") =>
    sweepDeadClaims(world.app.db, { silentMs: 0, now: clock.now(), self, policy });

  test.each([
    ["sent", "sent", "finished"],
    ["rejected", "rejected", "finished"],
    ["deferred", "deferred", "sending"],
  ] as const)("after the edition was finished without it: %s", async (state, counted, edition) => {
    await begin(1);
    const slow = open();
    const [id] = await take(slow, 1);
    expect(await sweep(randomUUID(), "hold")).toEqual([{ edition: editionId, deliveries: 1 }]);
    expect(await closeEdition(world.app, editionId)).toBe(true);
    slow.record(told(id!, state));
    await slow.flush();
    expect(await sums()).toMatchObject({ [counted]: 1, unknown: 0 });
    expect(await getEdition(world.app.db, date)).toMatchObject({ state: edition });
  });

  test.each([
    ["sent", "sent"],
    ["deferred", "skipped"],
  ] as const)("after the edition was cancelled: %s becomes %s", async (state, counted) => {
    await begin(2);
    const slow = open();
    const [id] = await take(slow, 1);
    await act("cancel");
    slow.record(told(id!, state));
    await slow.flush();
    const { selected, skipped, ...rest } = await sums();
    expect({ selected, skipped }).toEqual({ selected: 2, skipped: counted === "skipped" ? 2 : 1 });
    expect(rest).toMatchObject({ pending: 0, deferred: 0, sending: 0 });
  });

  test("with UNKNOWN_POLICY=resend a mail that did go out is not sent again", async () => {
    await begin(1);
    const [slow, other] = [open(), open()];
    const [id] = await take(slow, 1);
    expect(await sweep(other.sender, "resend")).toHaveLength(1);
    expect(await take(other, 1)).toEqual([]);
    slow.record(told(id!, "sent"));
    await slow.flush();
    clock.advance(60 * 60_000);
    expect(await take(other, 1)).toEqual([]);
    expect(await sums()).toMatchObject({ sent: 1 });
  });

  test("with UNKNOWN_POLICY=resend what a dead sender left is sent again, but not of a cancelled edition", async () => {
    await begin(2);
    const [dead, other] = [open(), open()];
    await take(dead, 1);
    await sweep(other.sender, "resend");
    clock.advance(60 * 60_000);
    expect(await take(other, 2)).toHaveLength(2);
    await act("cancel");
    await sweep(dead.sender, "resend");
    expect(await sums()).toMatchObject({ unknown: 2, deferred: 0, pending: 0 });
  });

  test("what was never handed over is sent after all, also when the edition was finished without it", async () => {
    await begin(1);
    const slow = open();
    const [id] = (await take(slow, 1)) as [number];
    await sweep(randomUUID(), "hold");
    expect(await closeEdition(world.app, editionId)).toBe(true);
    await slow.giveBack([id]);
    expect(await sums()).toMatchObject({ pending: 1, unknown: 0 });
    expect(await getEdition(world.app.db, date)).toMatchObject({ state: "sending" });
    expect(await take(open(), 1)).toEqual([id]);
  });

  test("what was never handed over of a cancelled edition is skipped", async () => {
    await begin(1);
    const slow = open();
    const [id] = (await take(slow, 1)) as [number];
    await sweep(randomUUID(), "hold");
    await act("cancel");
    await slow.giveBack([id]);
    expect(await sums()).toMatchObject({ skipped: 1, unknown: 0 });
  });

  test("after an operator asked for it again: what did go out is not sent twice", async () => {
    await begin(1);
    const [slow, other] = [open(), open()];
    const [id] = await take(slow, 1);
    await sweep(other.sender, "hold");
    await act("resend-unknown");
    slow.record(told(id!, "sent"));
    await slow.flush();
    expect(await take(other, 1)).toEqual([]);
    expect(await sums()).toMatchObject({ sent: 1 });
  });

  test("what somebody else has claimed since is theirs to settle", async () => {
    await begin(1);
    const [slow, other] = [open(), open()];
    const [id] = await take(slow, 1);
    await sweep(other.sender, "hold");
    await act("resend-unknown");
    expect(await take(other, 1)).toEqual([id]);
    slow.record(told(id!, "deferred"));
    await slow.flush();
    expect(await sums()).toMatchObject({ sending: 1 });
    other.record(told(id!, "sent"));
    await other.flush();
    expect(await sums()).toMatchObject({ sent: 1 });
  });
});

test("whether a sender lives is told by the database's clock, whatever the machines' clocks say", async () => {
  await begin(3);
  const [ours, theirs] = [open(), open()];
  for (const { sender } of [ours, theirs]) await beat(world.app.db, sender);
  await take(ours, 1);
  await take(theirs, 1);
  clock.advance(5 * 60 * 60_000);
  const swept = () =>
    sweepDeadClaims(world.app.db, { silentMs: 30_000, now: clock.now(), self: ours.sender, policy: "hold" });
  expect(await swept()).toEqual([]);
  await sql`update senders set beat_at = beat_at - interval '1 minute'`.execute(world.app.db);
  expect(await swept()).toHaveLength(1);
  expect(await sums()).toMatchObject({ unknown: 1, sending: 1 });
});

test("nothing is sent after its time, even before anybody has noticed", async () => {
  await begin(1);
  clock.advance(25 * 60 * 60_000);
  expect(await take(open(), 1)).toEqual([]);
});

describe("a relay that says of everybody that they do not exist", () => {
  const look = () => recover({ ...world.app, wake: async () => undefined });
  const status = async (address: string) => (await findByAddress(world.app.db, address))?.status;

  /** Two workers, each with a handful of refusals, of whom neither has noticed that they are many. */
  const refuse = async (count: number): Promise<void> => {
    const suppressOne: DeliveryEffects["suppress"] = (tx, { reply, ...gone }) =>
      keepOut(tx, world.app.options.secret, { ...gone, reason: "bounce", detail: reply });
    for (let left = count; left > 0; left -= connections) {
      const ledger = open({ suppress: suppressOne });
      for (const id of await take(ledger, Math.min(left, connections)))
        ledger.record({ ...told(id, "rejected"), reply: "550 5.1.1 no", suppress: true });
      await ledger.flush();
    }
  };

  const expectStopAt = async (count: number): Promise<void> => {
    await refuse(count - 1);
    await look();
    expect(await getEdition(world.app.db, date)).toMatchObject({ state: "sending" });
    await refuse(1);
    await look();
    const reason = { reason_code: "many_addresses_gone", reason_data: { gone: count, answered: count } };
    expect(await getEdition(world.app.db, date)).toMatchObject({ state: "paused", ...reason });
  };

  test("is stopped by the next look, whichever workers did it and died; an operator's resume stands", async () => {
    await begin(30);
    await expectStopAt(10);
    await act("resume");
    await refuse(10);
    await look();
    expect(await getEdition(world.app.db, date)).toMatchObject({ state: "sending", gone_accepted: true });
    // Whoever takes it back after all has thought better of it.
    await act("unsuppress");
    expect(await getEdition(world.app.db, date)).toMatchObject({ state: "sending", gone_accepted: false });
  });

  test("is stopped when it has said so of the whole of a small list", async () => {
    await begin(4);
    await expectStopAt(4);
    expect(await act("unsuppress")).toMatchObject({ affected: 4 });
    await act("retry");
    await act("resume");
    expect(await sums()).toMatchObject({ selected: 4, pending: 4 });
  });

  test("is told of where a small list was finished before, whoever of it had left", async () => {
    await begin(4);
    await unsubscribe(world.app.db, (await findByAddress(world.app.db, "r3@example.org"))!.id, clock.now());
    await refuse(4);
    await closeEdition(world.app, editionId);
    const { editions } = await loadFacts(world.app.db, clock.now());
    expect(editions).toMatchObject([{ state: "finished", selected: 4, suppressed: 3, answered: 3 }]);
  });

  test("what else has suppressed an address is not taken back with the rest", async () => {
    await begin(4);
    await refuse(4);
    const by = { detail: null, actor: "test" };
    await suppressAddress(world.app, { ...by, address: "r1@example.org", reason: "operator" });
    await suppressAddress(world.app, { ...by, address: "r2@example.org", reason: "complaint" });
    expect(await act("unsuppress")).toMatchObject({ affected: 2, changed: true });
    expect(await Promise.all([0, 1, 2, 3].map((i) => status(`r${i}@example.org`)))).toEqual([
      "active",
      "suppressed",
      "suppressed",
      "active",
    ]);
    expect((await listAudit(world.app.db, { limit: 1 }))[0]).toMatchObject({
      action: "edition unsuppress",
      subject: date,
      detail: { affected: 2 },
    });
  });
});
