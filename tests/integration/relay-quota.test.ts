import { sql } from "kysely";
import { expect, test } from "vitest";
import { examine } from "../../src/cli/doctor/run.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition } from "../../src/editions/store.ts";
import { listAlerts } from "../../src/alerts/store.ts";
import { watchAlerts } from "../../src/alerts/watch.ts";
import { measures } from "../../src/alerts/metrics.ts";
import { resumeRelay } from "../../src/deliveries/resume-relay.ts";
import { editionStatus, status } from "../../src/alerts/status.ts";
import { troubleNow } from "../../src/web/operator/progress.ts";
import { startWorker, type RunningWorker } from "../../src/worker.ts";
import { closedAfterEach } from "../support/closing.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink, type Answer, type Sink } from "../support/sink.ts";
import { textOf } from "../support/text.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const closing = closedAfterEach();

interface Stage {
  world: World;
  sink: Sink;
  date: string;
  asked(): number;
  work(): Promise<RunningWorker>;
}

/**
 * An edition to 40 readers and a relay.
 * @param answer what the relay answers to MAIL FROM, which it is asked for the nth time
 */
async function open(answer: (nth: number) => Answer, env: Record<string, string> = {}): Promise<Stage> {
  let asked = 0;
  const sink = await startSink({ onMail: () => answer((asked += 1)) });
  closing.push(() => sink.close());
  const world = await openWorld({ env: { SMTP_URL: sink.url, SMTP_CONNECTIONS: "4", ...env } });
  closing.push(() => world.close());
  await addAllNewsReaders(
    world.app,
    Array.from({ length: 40 }, (_, i) => `r${i}@example.org`),
  );
  await addArticle(world.app, "News");
  const { date } = await sendNow(world.app, { extra: false, actor: "test" });
  const work = async (): Promise<RunningWorker> => {
    const worker = await startWorker(world.app);
    closing.push(() => worker.stop(0));
    return worker;
  };
  return { world, sink, date, asked: () => asked, work };
}

const used = "454 Throttling failure: Daily message quota exceeded";

test("a quota that is used up pauses sending, is shown everywhere, and one email shows that it is back", async () => {
  let isUsed = true;
  const { world, sink, date, asked, work } = await open(() => (isUsed ? used : null));
  const { app } = world;
  await work();
  const paused = await eventually("sending is paused", async () => {
    const { transport } = await status(app);
    return transport.quota && transport;
  });
  expect(paused).toMatchObject({ quota: "day", reason: used });
  // Amazon advises to wait for ten minutes.
  expect(paused.pausedUntil!.getTime() - Date.now()).toBeGreaterThan(9 * 60_000);
  expect(asked()).toBeLessThanOrEqual(4);
  await watchAlerts(app);
  const [alert, ...others] = await listAlerts(app.db, 5);
  expect(alert).toMatchObject({ kind: "relay-quota", data: { quota: "day", reply: used }, clearedAt: null });
  expect(others).toEqual([]);
  expect((await troubleNow(app, "UTC")).relay).toContain(used);
  const values = async (): Promise<unknown[]> =>
    (await measures["limits"]!(app)).flatMap(({ samples }) => samples.map(({ value }) => value));
  expect(await values()).toEqual([0, 1, expect.closeTo(600, -2)]);
  const look = async () => (await editionStatus(app.db, await getEdition(app.db, date))).balance;
  await eventually("the outcomes are written", async () => (await look()).deferred === asked());
  expect(await look()).toMatchObject({ sent: 0, rejected: 0, expired: 0 });

  isUsed = false;
  await sql`update sending_limits set paused_until = now()`.execute(app.db);
  await sql`update deliveries set due_at = now() where state = 'deferred'`.execute(app.db);
  await app.wake("recover", {});
  await sink.waitFor(40);
  await eventually("all is well", async () => {
    const { transport } = await status(app);
    return transport.quota === null && transport.reason === null;
  });
  await watchAlerts(app);
  expect((await listAlerts(app.db, 5)).map(({ kind, clearedAt }) => [kind, clearedAt === null])).toEqual([
    ["relay-quota", false],
  ]);
  expect(await values()).toEqual([0, 0, 0]);
}, 60_000);

test("an operator ends the pause, and the waiting worker goes on within seconds, with what the pause deferred", async () => {
  let isUsed = true;
  const { world, sink, date, asked, work } = await open(() => (isUsed ? used : null), { SMTP_CONNECTIONS: "40" });
  const { app } = world;
  await work();
  await eventually("sending is paused", async () => (await status(app)).transport.quota);
  const look = async () => (await editionStatus(app.db, await getEdition(app.db, date))).balance;
  // The worker has tried all 40 at once, or waits with the others.
  await eventually("the outcomes are written", async () => {
    const { deferred } = await look();
    return deferred > 0 && deferred === asked();
  });
  const before = asked();
  expect(await resumeRelay(app, { actor: "test" })).toEqual({ changed: true });
  await eventually("one worker has tried the relay, which is not back yet", async () => {
    const { transport } = await status(app);
    return asked() > before && transport.pausedUntil !== null && transport.quota;
  });
  await eventually("all outcomes are written", async () => (await look()).sending === 0);
  isUsed = false;
  expect(await resumeRelay(app, { actor: "test" })).toEqual({ changed: true });
  await sink.waitFor(40);
  await eventually("all is well", async () => (await status(app)).transport.reason === null);
  expect(await resumeRelay(app, { actor: "test" })).toEqual({ changed: false });
}, 60_000);

test("a restart keeps the pause, and doctor knows of it", async () => {
  const { world, sink, asked, work } = await open(() => used);
  const worker = await work();
  await eventually("sending is paused", async () => (await status(world.app)).transport.quota);
  await worker.stop(0);
  const before = asked();
  await world.app.close(0);
  const checks = [];
  const lookup = { txt: async () => [], mx: async () => [] } as never;
  for await (const check of examine(world.app.config, { clock: world.app.clock, lookup })) checks.push(check);
  expect(checks.find(({ name }) => name === "quota")).toMatchObject({
    level: "warn",
    sentence: textOf("doctor.relay_quota", { quota: "day", reply: used }),
  });
  const again = await openWorld({ env: { SMTP_URL: sink.url }, dataDir: world.dataDir });
  closing.push(() => again.close());
  const next = await startWorker(again.app);
  closing.push(() => next.stop(0));
  await sql`update deliveries set due_at = now() where state = 'deferred'`.execute(again.app.db);
  await again.app.wake("recover", {});
  await eventually("it knows", async () => again.app.transport.state().pausedUntil);
  expect(asked()).toBe(before);
  expect((await status(again.app)).transport).toMatchObject({ quota: "day", reason: used });
}, 60_000);

test("a relay that gets too much is sent less, and the reader's email is only late", async () => {
  const tooFast = "454 Throttling failure: Maximum sending rate exceeded";
  const { world, sink, date, work } = await open((nth) => (nth === 4 ? tooFast : null), { SMTP_RATE: "20" });
  const { app } = world;
  await work();
  const { transport } = await eventually("the rate is halved", async () => {
    const found = await status(app);
    return found.transport.slowed ? found : null;
  });
  expect(transport).toMatchObject({ reason: null, pausedUntil: null, quota: null });
  expect(transport.rate).toBeGreaterThanOrEqual(10);
  expect(transport.rate).toBeLessThan(12);
  expect((await troubleNow(app, "UTC")).relay).toMatch(/1[01](\.\d)?/);
  await sink.waitFor(39);
  await eventually("the outcomes are written", async () => {
    const { balance } = await editionStatus(app.db, await getEdition(app.db, date));
    return balance.sent === 39 && balance.deferred === 1;
  });
}, 60_000);
