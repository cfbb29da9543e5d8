import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { mergeTags } from "../../src/articles/change-tags.ts";
import { Refusal } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { noTrace } from "../../src/base/trace.ts";
import { openDue } from "../../src/editions/due.ts";
import { actOnEdition } from "../../src/editions/operator-actions.ts";
import { renderEdition } from "../../src/editions/render.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition, listEditions } from "../../src/editions/store.ts";
import { recover } from "../../src/alerts/recover.ts";
import { retain } from "../../src/alerts/retention.ts";
import { startWorkers } from "../../src/queue/queues.ts";
import { schedulesAre, setSchedules } from "../../src/schedule/schedulers.ts";
import { changeMove, changeSchedule, changeSkips } from "../../src/editions/change-schedule.ts";
import { loadSchedule, saveSchedule } from "../../src/schedule/store.ts";
import { addSource } from "../../src/sources/manage-sources.ts";
import { pollSource } from "../../src/sources/poll.ts";
import { getSource } from "../../src/sources/store.ts";
import { addSubscriber } from "../../src/subscribers/add.ts";
import { prepareWorker } from "../../src/worker.ts";
import { processors } from "../../jobs/index.ts";
import { movedClock } from "../support/clock.ts";
import { startFeed } from "../support/feed-server.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const date = "2026-11-24";
const clock = movedClock(`${date}T05:00:00Z`);
let world: World;

beforeAll(async () => {
  world = await openWorld({ clock });
});
afterAll(() => world.close());
beforeEach(async () => {
  clock.set(`${date}T05:00:00Z`);
  const { db } = world.app;
  await sql`truncate editions, articles, subscribers, sources, tags, audit, skipped_dates cascade`.execute(db);
  await saveSchedule(db, { sendAt: null, sendDays: null, timezone: null }, world.app.options, clock.now());
});

const by = { actor: "test" };
const send = (extra = false) => sendNow(world.app, { extra, actor: "test" });

/** Does by hand what the queue would ask for. */
async function deliver(editionId: number): Promise<void> {
  const jobs = processors(world.app);
  const { slices } = (await listEditions(world.app.db, 10)).find(({ id }) => id === editionId)!;
  for (let slice = 0; slice < slices; slice++)
    await jobs["deliver-slice"]({ editionId, slice }, new AbortController().signal);
  await jobs["close-edition"]({ editionId }, new AbortController().signal);
}

test("five who ask for an extra edition at once make one, and the others are told; who asks after that gets one more", async () => {
  await addAllNewsReaders(world.app, ["a@example.org"]);
  await addArticle(world.app, "News");
  await send();
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => send(true)));
  const codes = answers.flatMap((answer) => (answer.status === "rejected" ? [(answer.reason as Refusal).code] : []));
  expect(codes).toEqual(Array.from({ length: 4 }, () => "extra_edition_just_created"));
  expect(await send(true)).toMatchObject({ number: 3 });
});

test("the rows of an edition that becomes due are analysed at once", async () => {
  const { db } = world.app;
  await addAllNewsReaders(
    world.app,
    Array.from({ length: 250 }, (_, i) => `reader${i}@example.org`),
  );
  await addArticle(world.app, "News");
  clock.set(`${date}T12:00:00Z`);
  const opened = await openDue(world.app, await loadSchedule(db));
  expect(opened).toMatchObject({ created: true, edition: { selected: 250 } });
  const { rows } = await sql<{ rows: number }>`
    select max(reltuples)::int as rows from pg_class where relname like 'deliveries\_f%' and relkind = 'r'`.execute(db);
  expect(rows).toEqual([{ rows: 250 }]);
});

test("a worker's start makes the next partition of the deliveries", async () => {
  const { db } = world.app;
  const partitions = async (): Promise<number> => {
    const { rows } = await sql<{ n: number }>`
      select count(*)::int as n from pg_inherits where inhparent = 'deliveries'::regclass`.execute(db);
    return rows[0]!.n;
  };
  await sql`select setval(pg_get_serial_sequence('editions', 'id'), 100)`.execute(db);
  await addArticle(world.app, "News");
  await addAllNewsReaders(world.app, ["a@example.org"]);
  await send();
  const before = await partitions();
  await prepareWorker(world.app);
  expect(await partitions()).toBe(before + 1);
  await prepareWorker(world.app);
  expect(await partitions()).toBe(before + 1);
});

test("more articles than a statement has room for parameters are frozen, sent and add up", async () => {
  await addAllNewsReaders(world.app, ["a@example.org"]);
  await sql`
    insert into articles (url, url_key, title, summary, published_at, first_seen_at, eligible_at, changed_at)
    select 'https://news.example/' || n, 'news.example/' || n, 'Article ' || n, '', ${clock.now()}, ${clock.now()}, ${clock.now()},
      ${clock.now()} from generate_series(1, 14000) n`.execute(world.app.db);
  const edition = await send();
  expect(edition).toMatchObject({ articles: 14_000, selected: 1 });
  await renderEdition(world.app, edition.id);
  await deliver(edition.id);
  expect(await getEdition(world.app.db, date)).toMatchObject({ state: "finished" });
});

test("a template that broke keeps the edition waiting, with the reason, until it is mended", async () => {
  const { app } = world;
  await addAllNewsReaders(app, ["a@example.org"]);
  await addArticle(app, "News");
  const { id } = await send();
  const broken = {
    ...app,
    templates: () => Promise.reject(new Refusal(422, "digest.mjml:12: <mj-colunm> is no tag.")),
  };
  await expect(renderEdition(broken, id)).rejects.toThrow("mj-colunm");
  expect(await getEdition(app.db, date)).toMatchObject({
    state: "opening",
    reason_code: "template_failed",
    reason_data: { text: expect.stringContaining("digest.mjml:12") },
  });
  clock.advance(3 * 60 * 60_000);
  expect(await renderEdition(app, id)).toBe(true);
  expect(await getEdition(app.db, date)).toMatchObject({
    reason_code: "sent_late_after_template_failed",
    reason_data: { minutes: 180 },
  });
  await deliver(id);
  expect(await getEdition(app.db, date)).toMatchObject({ state: "finished" });
});

test("a failing template says nothing about an edition that was cancelled meanwhile", async () => {
  const { app } = world;
  await addArticle(app, "News");
  await addAllNewsReaders(app, ["a@example.org"]);
  const { id } = await send();
  const cancelled = async (): Promise<never> => {
    await actOnEdition(app, { date, number: 1, action: "cancel", actor: "test" });
    throw new Refusal(422, "broken");
  };
  await expect(renderEdition({ ...app, templates: cancelled }, id)).rejects.toThrow("broken");
  expect(await getEdition(app.db, date)).toMatchObject({ state: "cancelled", reason_code: null, reason_data: null });
});

test.each([
  ["is gone", sql`update editions set stencil = null`],
  ["is of an older release", sql`update editions set stencil = jsonb_set(stencil, '{version}', '0')`],
])("an edition whose stencil %s is rendered again before it goes on", async (_what, harm) => {
  const { app } = world;
  await addAllNewsReaders(app, ["a@example.org"]);
  await addArticle(app, "News");
  const { id } = await send();
  await renderEdition(app, id);
  await harm.execute(app.db);
  await deliver(id);
  expect(await getEdition(app.db, date)).toMatchObject({ state: "sending" });
  const asked: string[] = [];
  await recover({ ...app, wake: async (name) => void asked.push(name) });
  expect(asked).toContain("render-edition");
  expect(await renderEdition(app, id)).toBe(true);
  await deliver(id);
  expect(await getEdition(app.db, date)).toMatchObject({ state: "finished" });
});

test("retention keeps what may still be sent: a retry weeks later is rendered again", async () => {
  const { app } = world;
  await addAllNewsReaders(app, ["a@example.org"]);
  await addArticle(app, "News");
  const { id } = await send();
  await renderEdition(app, id);
  await sql`update deliveries set state = 'rejected', settled_at = ${clock.now()}`.execute(app.db);
  await deliver(id);
  clock.advance(40 * 24 * 60 * 60_000);
  await retain(app);
  await actOnEdition(app, { date, number: 1, action: "retry", actor: "test" });
  expect(await renderEdition(app, id)).toBe(true);
  await deliver(id);
  const states = await app.db.selectFrom("deliveries").select("state").execute();
  expect(states).toEqual([{ state: "sent" }]);
});

test("one part that fails keeps nothing else from being looked after", async () => {
  const { app } = world;
  await addAllNewsReaders(app, ["a@example.org"]);
  await addArticle(app, "News");
  const { id } = await send();
  await renderEdition(app, id);
  await app.db
    .insertInto("sources")
    .values({
      kind: "feed",
      url: "http://feed.example/",
      renamed_tags: "{}",
      next_check_at: clock.now(),
      created_at: clock.now(),
    })
    .execute();
  await saveSchedule(app.db, { sendAt: "04:00" }, app.options, new Date(clock.now().getTime() - 86_400_000));
  await sql`delete from editions where id <> ${id}`.execute(app.db);
  await sql`update editions set date = '2026-11-22'`.execute(app.db);
  const asked: string[] = [];
  const gather = () => Promise.reject(new Error("no space left on device"));
  await expect(recover({ ...app, gather, wake: async (name) => void asked.push(name) })).rejects.toThrow("no space");
  expect(asked).toEqual(expect.arrayContaining(["deliver-slice", "fetch-source"]));
});

test("a tag that is merged while readers join or an edition is frozen loses nobody", async () => {
  const { app } = world;
  await addArticle(app, "News");
  const tag = async (name: string) => {
    await app.db
      .insertInto("tags")
      .values({ key: name, name, created_at: clock.now() })
      .onConflict((c) => c.doNothing())
      .execute();
  };
  await tag("media");
  await addSubscriber(app, {
    address: "a@example.org",
    tags: ["news"],
    allTags: false,
    confirmed: true,
    actor: "test",
  });
  const [edition] = await Promise.all([send(), mergeTags(app, { from: "news", into: "media", actor: "test" })]);
  expect(edition.selected).toBe(1);
});

test("the audit and the refusals hold no password of a feed", async () => {
  const { app } = world;
  const feed = await startFeed([]);
  const url = feed.url.replace("http://", "http://editor:hunter2@") + "?key=s3cret";
  const add = () =>
    addSource({ ...app, fetch: { ...app.fetch, allowPrivate: true } }, { url, tags: [], rename: {}, actor: "test" });
  await add();
  await expect(add()).rejects.toThrow(/^(?!.*(hunter2|s3cret))/);
  await feed.close();
  const audit = await app.db.selectFrom("audit").selectAll().execute();
  expect(audit).toHaveLength(1);
  expect(JSON.stringify(audit)).not.toMatch(/hunter2|s3cret|editor/);
});

test("a stopping process does not count a cut poll against the feed", async () => {
  const { app } = world;
  const [{ id }] = (await app.db
    .insertInto("sources")
    .values({
      kind: "feed",
      url: "http://127.0.0.1:9/",
      renamed_tags: "{}",
      next_check_at: clock.now(),
      created_at: clock.now(),
    })
    .returning("id")
    .execute()) as [{ id: number }];
  expect(await pollSource(app, id, { force: true, signal: AbortSignal.abort() })).toEqual({ kind: "left" });
  expect(await getSource(app.db, id)).toMatchObject({ failures: 0, read_error: null, next_check_at: clock.now() });
});

test("a feed that asks for quiet is left alone by the poll and the gathering, and an operator can ask it all the same", async () => {
  const { app } = world;
  const feed = await startFeed();
  const { source } = await addSource(app, { url: feed.url, tags: [], rename: {}, actor: "test" });
  Object.assign(feed, { failWith: 429, retryAfter: "7200", requests: 0 });
  const poll = (force: boolean) => pollSource(app, source.id, { force });
  expect(await poll(true)).toMatchObject({ kind: "failed", reason: { waitUntil: "2026-11-24T07:00:00.000Z" } });
  clock.set(`${date}T06:59:00Z`);
  await app.gather();
  expect(await poll(false)).toEqual({ kind: "left" });
  expect(feed.requests).toBe(1);
  expect(await poll(true)).toMatchObject({ kind: "failed" });
  Object.assign(feed, { failWith: null });
  clock.set(`${date}T09:00:00Z`);
  await app.gather();
  expect(await getSource(app.db, source.id)).toMatchObject({ failures: 0, wait_until: null, read_error: null });
  await feed.close();
});

test("a feed with too many new tags is reported, and read again until it has all of them", async () => {
  const { app } = world;
  const at = clock.now();
  const tags = (i: number) => Array.from({ length: 30 }, (_, j) => `tag ${i}-${j}`);
  const feed = await startFeed(
    Array.from({ length: 20 }, (_, i) => ({ id: `n${i}`, title: `News ${i}`, tags: tags(i), at })),
  );
  feed.etag = '"one"';
  const { source, poll } = await addSource(app, { url: feed.url, tags: [], rename: {}, actor: "test" });
  const count = async () => (await app.db.selectFrom("tags").select("id").execute()).length;
  expect(poll).toMatchObject({ kind: "ingested", problems: [{ code: "new_tags_over_limit", details: { tags: 100 } }] });
  expect(await count()).toBe(500);
  expect((await getSource(app.db, source.id)).problems).toMatchObject([
    { code: "new_tags_over_limit", details: { tags: 100 } },
  ]);
  const again = () => pollSource(app, source.id, { force: true });
  expect(await again()).toMatchObject({ kind: "ingested", problems: [] });
  expect(await count()).toBe(600);
  expect((await getSource(app.db, source.id)).problems).toEqual([]);
  expect(await again()).toEqual({ kind: "unchanged" });
  await feed.close();
});

test("nothing is traced unless it is asked for", () => {
  expect(world.app.trace).toBe(noTrace);
  expect(world.app.queues.editions.opts.telemetry).toBeUndefined();
});

test("the schedule can be changed while the queue is away, whose scheduler is then known to be wrong", async () => {
  const { app } = world;
  await setSchedules(app.queues, await loadSchedule(app.db));
  const upsertJobScheduler = () => Promise.reject(new Error("connect ECONNREFUSED"));
  const queues = { ...app.queues, editions: { upsertJobScheduler } } as unknown as World["app"]["queues"];
  const changed = await changeSchedule({ ...app, queues }, { sendAt: "09:00" }, by);
  expect(changed).toMatchObject({ sendAt: "09:00" });
  expect(await schedulesAre(app.queues, changed)).toBe(false);
  await setSchedules(app.queues, changed);
  expect(await schedulesAre(app.queues, changed)).toBe(true);
});

test("neither a change of zone nor a skip, nor both and back again, doubles or loses a date", async () => {
  const { app } = world;
  await addAllNewsReaders(app, ["a@example.org"]);
  const seen: string[] = [];
  const look = async () => {
    await addArticle(app, `News ${clock.now().getTime()}`);
    await recover({ ...app, wake: async () => undefined });
    seen.splice(
      0,
      seen.length,
      ...(await listEditions(app.db, 20)).map((edition) => `${edition.date} ${edition.state}`).reverse(),
    );
  };
  clock.set(`${date}T07:00:30Z`);
  await look();
  for (const timezone of ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Seoul", null])
    await changeSchedule(app, { timezone }, by);
  await look();
  expect(seen).toEqual(["2026-11-24 opening"]);
  await changeSkips(app, { dates: ["2026-11-25"], skip: true, ...by });
  clock.set("2026-11-25T07:00:30Z");
  await look();
  await changeSchedule(app, { sendAt: "09:00" }, by);
  await changeSkips(app, { dates: ["2026-11-26"], skip: true, ...by });
  await changeSkips(app, { dates: ["2026-11-26"], skip: false, ...by });
  clock.set("2026-11-26T08:59:00Z");
  await look();
  expect(seen).toEqual(["2026-11-24 opening"]);
  await changeSchedule(app, { sendAt: "08:00" }, { ...by, passed: "send" });
  await look();
  await changeSchedule(app, { sendAt: "09:00" }, by);
  clock.set("2026-11-26T09:30:00Z");
  await look();
  expect(seen).toEqual(["2026-11-24 opening", "2026-11-26 opening"]);
});

test("a date that is moved opens at its minute, and does not wait for the minute's look", async () => {
  const { app } = world;
  // No other look than its own is left in the queue.
  await app.queues.editions.obliterate({ force: true });
  clock.set(`${date}T09:29:59.700Z`);
  await changeSkips(app, { dates: [date], skip: true, ...by });
  await changeMove(app, { date: "2026-11-25", sendAt: "09:30", ...by });
  clock.set("2026-11-25T09:29:59.700Z");
  // What the look of the minute before does: it finds nothing due yet.
  await recover(app);
  expect(await listEditions(app.db, 1)).toEqual([]);
  clock.set("2026-11-25T09:30:00Z");
  const stopping = new AbortController();
  const workers = startWorkers(app.queue, processors(app), {
    log: silentLog,
    signal: stopping.signal,
    watch: app.engines.queue,
    records: app.engines.records,
  });
  await eventually("it is opened", async () => (await listEditions(app.db, 1))[0]?.date === "2026-11-25", 5_000);
  stopping.abort();
  await Promise.all(workers.map((worker) => worker.close()));
});

test("a date that is left out while its last articles are gathered is not opened", async () => {
  const { app } = world;
  clock.set(`${date}T07:00:00Z`);
  const gather = () => changeSkips(app, { dates: [date], skip: true, ...by }).then(() => undefined);
  await recover({ ...app, gather, wake: async () => undefined });
  await recover({ ...app, wake: async () => undefined });
  expect(await listEditions(app.db, 1)).toEqual([]);
});

test("a job of another release fails alone, and the queue goes on", async () => {
  const { app } = world;
  const stopping = new AbortController();
  const workers = startWorkers(app.queue, processors(app), {
    log: silentLog,
    signal: stopping.signal,
    watch: app.engines.queue,
    records: app.engines.records,
  });
  await app.queues.editions.add("polish-edition", { editionId: 1 });
  await app.queues.editions.add("toString", {});
  await app.queues.editions.add("queue-slices", { editionId: "2026-11-24" });
  const former = await app.queues.editions.add("fan-out", { editionId: 4711 });
  const good = await app.queues.editions.add("retention", {});
  for (const job of [good, former]) {
    await eventually(`${job.name} is done`, async () => (await job.getState()) === "completed");
  }
  const failed = await eventually("the others have failed", async () => {
    const jobs = (await app.queues.editions.getFailed()).filter((job) => job.failedReason);
    return jobs.length >= 3 ? jobs.map((job) => job.failedReason).join("\n") : null;
  });
  expect(failed).toContain('job_unknown {"name":"polish-edition"}');
  expect(failed).toContain('job_unknown {"name":"toString"}');
  stopping.abort();
  await Promise.all(workers.map((worker) => worker.close()));
});
