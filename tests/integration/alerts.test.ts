import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testAlerts, watchAlerts } from "../../src/alerts/watch.ts";
import { callTable, signedHeaders } from "../../src/alerts/calls.ts";
import { createLedger } from "../../src/ledger/ledger.ts";
import { sweepDeadClaims } from "../../src/ledger/dead-senders.ts";
import { silentLog } from "../../src/base/log.ts";
import { openEdition, recordMissed } from "../../src/editions/open.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { addFeeds } from "../../src/sources/store.ts";
import { sendNotices } from "../../src/notices/send.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { textOf } from "../support/text.ts";
import { openWorld, type World } from "../support/world.ts";

const secret = "a-key-for-the-tests-of-the-webhook-01";
const clock = { at: new Date("2026-11-24T09:00:00Z"), now: () => clock.at };
const calls: { headers: IncomingHttpHeaders; body: string }[] = [];
let answerWith = 204;
let receiver: Server;
let world: World;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      calls.push({ headers: request.headers, body });
      response.writeHead(answerWith).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const { port } = receiver.address() as AddressInfo;
  const env = {
    ALERT_MAIL: "chief@example.com",
    ALERT_WEBHOOK: `http://127.0.0.1:${port}/hook`,
    ALERT_WEBHOOK_SECRET: secret,
  };
  world = await openWorld({ env, clock });
});
afterAll(async () => {
  await world?.close();
  receiver?.close();
});

const minutes = (n: number): void => void (clock.at = new Date(clock.at.getTime() + n * 60_000));
const said = () =>
  calls.map(({ body }) => JSON.parse(body) as { type: string; data: { kind: string; sentence: string; data: object } });

test("a missed date is told once by mail and by a signed call, and once more when a later edition goes out", async () => {
  const { app } = world;
  const due = { dueAt: new Date("2026-11-23T07:00:00Z"), timezone: "UTC", now: clock.now() };
  await recordMissed(app.db, {
    ...due,
    date: "2026-11-23",
    reason: { code: "other", data: { text: "Nothing was running." } },
  });
  await Promise.all([watchAlerts(app), watchAlerts(app)]);
  minutes(1);
  await watchAlerts(app);
  expect(said()).toMatchObject([
    {
      type: "alert.raised",
      data: {
        kind: "edition-missed",
        sentence: textOf("alert.edition-missed.sentence", { edition: "2026-11-23", reason: "Nothing was running." }),
        data: { edition: "2026-11-23" },
      },
    },
  ]);
  const [{ headers, body }] = calls as [(typeof calls)[number]];
  const at = new Date(Number(headers["webhook-timestamp"]) * 1_000);
  expect(headers).toMatchObject(signedHeaders(secret, { id: String(headers["webhook-id"]), at, body }));

  await app.db
    .insertInto("editions")
    .values({
      date: "2026-11-24",
      number: 1,
      state: "finished",
      timezone: "UTC",
      due_at: clock.at,
      opened_at: clock.at,
      sending_at: clock.at,
    })
    .execute();
  await watchAlerts(app);
  await watchAlerts(app);
  expect(said().map(({ type, data }) => [type, data.kind])).toEqual([
    ["alert.raised", "edition-missed"],
    ["alert.cleared", "edition-missed"],
  ]);
  await sendNotices(app, AbortSignal.timeout(10_000));
  const outbox = join(world.dataDir, "outbox");
  const mails = readdirSync(outbox).map((name) => readFileSync(join(outbox, name), "utf8"));
  expect(mails.map((mail) => /^Subject: (.*)$/m.exec(mail)![1]!.trim()).toSorted()).toEqual([
    `Telecom Daily: ${textOf("alert.edition-missed.raised")}`,
    `Telecom Daily: ${textOf("alert.edition-missed.cleared")}`,
  ]);
  for (const mail of mails) {
    expect(mail).toMatch(/^To: <?chief@example\.com>?\r?$/m);
    expect(mail).not.toContain("List-Unsubscribe");
  }
});

test("a call that is refused is made again, later and later, with the same id", async () => {
  calls.length = 0;
  answerWith = 500;
  await testAlerts(world.app);
  await watchAlerts(world.app);
  expect(calls).toHaveLength(1);
  minutes(1);
  await watchAlerts(world.app);
  minutes(1);
  await watchAlerts(world.app);
  expect(calls).toHaveLength(2);
  answerWith = 200;
  minutes(1);
  await watchAlerts(world.app);
  await watchAlerts(world.app);
  expect(calls).toHaveLength(3);
  expect(new Set(calls.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect(said()[2]).toMatchObject({ type: "alert.raised", data: { kind: "test" } });
});

test("a call that its sender left behind is made again after a while, and a late answer still counts", async () => {
  const { app } = world;
  calls.length = 0;
  const sender = randomUUID();
  const deps = { db: app.db, clock, log: silentLog, sender, most: 1, table: callTable };
  const slow = createLedger(deps);
  await app.db
    .insertInto("alert_calls")
    .values({ id: randomUUID(), body: "{}", due_at: clock.at, created_at: clock.at })
    .execute();
  const [call] = (await slow.claim({ count: () => 1 })).claimed;
  const sweep = () => sweepDeadClaims(app.db, { silentMs: 30_000, now: clock.at, self: app.sender, policy: "hold" });
  await sweep();
  await watchAlerts(app);
  expect(calls).toEqual([]);
  slow.record({ id: call!.id, state: "sent", reply: null, dueAt: null });
  await slow.flush();
  minutes(2);
  await watchAlerts(app);
  expect(calls).toEqual([]);

  await app.db
    .insertInto("alert_calls")
    .values({ id: randomUUID(), body: "{}", due_at: clock.at, created_at: clock.at })
    .execute();
  await slow.claim({ count: () => 1 });
  await sweep();
  minutes(2);
  await watchAlerts(app);
  expect(calls).toHaveLength(1);
  await slow.close(1_000);
});

test("an edition's failures, a feed that fails for a day and a relay in trouble are told, without addresses", async () => {
  const { app } = world;
  const { db } = app;
  calls.length = 0;
  minutes(24 * 60);
  await addAllNewsReaders(
    app,
    ["a", "b", "c", "d", "e", "f", "g"].map((name) => `${name}@readers.example`),
  );
  await addArticle(app, "News");
  const { id } = await sendNow(app, { extra: false, actor: "test" });
  const mark = async (state: "rejected" | "unknown", most: number) => {
    const some = db.selectFrom("deliveries").select("id").where("state", "=", "pending").orderBy("id").limit(most);
    await db.updateTable("deliveries").set({ state }).where("id", "in", some).execute();
  };
  await mark("rejected", 5);
  await mark("unknown", 2);
  await db.updateTable("editions").set({ state: "finished" }).where("id", "=", id).execute();
  const [feed] = await addFeeds(db, [{ url: "https://news.example/feed" }], clock.now());
  await db
    .updateTable("sources")
    .set({ failures: 40, read_error: JSON.stringify({ text: "it answered 404" }) })
    .where("id", "=", feed!)
    .execute();
  minutes(24 * 60);
  let reason: string | null = "421 a@readers.example: too busy";
  const deps = { ...app, transport: { state: () => ({ reason }) } };
  await watchAlerts(deps);
  expect(said().map(({ data }) => data.data)).toEqual([
    { edition: "2026-11-25", selected: 7, rejected: 5, expired: 0 },
    { edition: "2026-11-25", count: 2 },
    { source: feed, title: null, error: { text: "it answered 404" } },
  ]);
  minutes(5);
  await watchAlerts(deps);
  expect(said()[3]?.data.data).toMatchObject({ reply: "421 <address> too busy" });
  reason = null;
  await db.updateTable("deliveries").set({ state: "sent" }).where("state", "=", "unknown").execute();
  await db.updateTable("sources").set({ failures: 0, succeeded_at: clock.now() }).where("id", "=", feed!).execute();
  await watchAlerts(deps);
  expect(
    said()
      .slice(4)
      .map(({ type, data }) => [type, data.kind]),
  ).toEqual([
    ["alert.cleared", "unknown"],
    ["alert.cleared", "source-failing"],
    ["alert.cleared", "relay"],
  ]);
});

test("an edition that is empty for the first time is told once, until one has articles for readers again", async () => {
  const { app } = world;
  calls.length = 0;
  clock.at = new Date("2027-01-10T07:00:00Z");
  await sql`
    insert into editions (date, number, state, timezone, due_at, opened_at, frozen_at, articles, readers, selected)
    select ${"2027-01-10"}::date - n, 1, 'finished', 'UTC', at, at, at, 5, 7, 7
    from generate_series(1, 20) n, lateral (select ${clock.now()}::timestamptz - make_interval(days => n) as at) t
  `.execute(app.db);
  const open = async (date: string) =>
    openEdition({ ...app, gather: async () => {} }, { date, dueAt: clock.now(), timezone: "UTC", extra: false });
  await open("2027-01-10");
  await watchAlerts(app);
  minutes(24 * 60);
  await open("2027-01-11");
  await watchAlerts(app);
  const empty = { edition: "2027-01-10", articles: 0, past: { editions: 20, articles: 5, selected: 7 } };
  expect(said().map(({ type, data }) => [type, data.kind, data.data])).toEqual([
    ["alert.raised", "edition-empty", empty],
  ]);
  minutes(24 * 60);
  await addArticle(app, "News again");
  await open("2027-01-12");
  await watchAlerts(app);
  expect(said()[1]).toMatchObject({ type: "alert.cleared", data: { kind: "edition-empty" } });
});

test("an alert's email is in the publication's language, and the webhook call in English", async () => {
  const { app } = world;
  calls.length = 0;
  await testAlerts(app);
  await sendNotices({ ...app, publication: { ...app.publication, language: "de" } }, AbortSignal.timeout(10_000));
  const outbox = join(world.dataDir, "outbox");
  const mails = readdirSync(outbox).map((name) => readFileSync(join(outbox, name), "utf8"));
  const subjects = mails.map((mail) => /^Subject: (.*)$/m.exec(mail)![1]!.trim());
  expect(subjects).toContain(`Telecom Daily: ${textOf("alert.test.raised", {}, "de")}`);
  expect(said()[0]?.data.sentence).toBe(textOf("alert.test.sentence"));
});
