import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { sendNow } from "../../src/editions/send-now.ts";
import { resumeRelay } from "../../src/deliveries/resume-relay.ts";
import { closedAfterEach } from "../support/closing.ts";
import { startPostgres, type PrivateServer } from "../support/private-servers.ts";
import { startProgram, type Program } from "../support/program.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { freshDatabase, freshRedis } from "../support/services.ts";
import { startSink, type Answer, type Sink } from "../support/sink.ts";
import { eventually, openWorld, testEnv, type World } from "../support/world.ts";

const rate = 100;

const closing = closedAfterEach();

interface Stage {
  sink: Sink;
  world: World;
  start(settings?: Record<string, string>): Program;
}

/**
 * An edition to 10,000 readers that is waiting for workers.
 * @param answer what the relay answers to MAIL FROM
 */
async function open(servers: Record<string, string>, answer: () => Answer = () => null): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-fleet-"));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const sink = await startSink({ delayMs: 5, onMail: answer });
  closing.push(() => sink.close());
  const env = { SMTP_URL: sink.url, SMTP_RATE: String(rate), SLICE_SIZE: "500", LOG_LEVEL: "warn", ...servers };
  const world = await openWorld({ env });
  closing.push(() => world.close());
  await addAllNewsReaders(
    world.app,
    Array.from({ length: 10_000 }, (_, i) => `r${i}@example.org`),
  );
  await addArticle(world.app, "News");
  await sendNow(world.app, { extra: false, actor: "test" });
  return {
    sink,
    world,
    start(settings = {}) {
      const program = startProgram(["worker"], testEnv(join(folder, "data"), { ...env, ...settings }));
      closing.push(() => program.end("SIGKILL"));
      return program;
    },
  };
}

async function bothWork({ world, sink }: Stage): Promise<void> {
  await eventually(
    "both are at work",
    async () => {
      const { rows } = await sql`select distinct claim from deliveries where claim is not null`.execute(world.app.db);
      const { rows: alive } = await sql`select 1 from senders`.execute(world.app.db);
      return rows.length > 0 && alive.length === 2;
    },
    60_000,
  );
  const goal = sink.count() + rate;
  await eventually("emails arrive", async () => sink.count() >= goal);
}

/** How many messages came between two times, and the most of any second in between. */
function received({ sink }: Stage, from: number, to: number): { all: number; most: number } {
  const times = sink.messages.map(({ receivedAt }) => receivedAt.getTime()).filter((at) => at >= from && at < to);
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last += 1) {
    while (times[last]! - times[first]! >= 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return { all: times.length, most };
}

/**
 * Resolves when the rate was held for so many seconds on end. On a machine that is busy with other things, a worker may get no
 * CPU for longer than its tokens last, so it may take a while; more than the rate there must never be.
 */
async function rateIsHeld(stage: Stage, seconds: number): Promise<void> {
  const since = Date.now();
  const fits = ({ all }: { all: number }): boolean => all >= seconds * rate * 0.95 && all <= seconds * rate * 1.05;
  await eventually(
    `the rate is held for ${seconds} s`,
    async () => {
      const now = Date.now();
      return now - since >= seconds * 1_000 && fits(received(stage, now - seconds * 1_000, now));
    },
    60_000,
  );
  const all = received(stage, since, Date.now());
  expect(all.all).toBeLessThanOrEqual(((Date.now() - since) / 1_000) * rate * 1.05);
  // Replies and the clock of this busy process shift some messages into the next second.
  expect(all.most).toBeLessThanOrEqual(rate * 1.2);
}

test.each(["PostgreSQL and Redis", "PostgreSQL alone"])(
  "two workers on %s hold the rate together, and so does the one that is left when the other is killed",
  { timeout: 240_000 },
  async (engines) => {
    const database = await freshDatabase();
    closing.push(() => database.drop());
    const redis = engines === "PostgreSQL alone" ? {} : { REDIS_URL: (await freshRedis()).url };
    const stage = await open({ DATABASE_URL: database.url, ...redis });
    const [first] = [stage.start(), stage.start()];
    await bothWork(stage);
    await rateIsHeld(stage, 10);
    await first.end("SIGKILL");
    await rateIsHeld(stage, 5);
  },
);

async function startAway(): Promise<PrivateServer> {
  const postgres = await startPostgres({ durable: true });
  closing.push(() => postgres.stop());
  return postgres;
}

test("while the database is away nobody sends, and afterwards no more than the rate", async () => {
  const postgres = await startAway();
  const stage = await open({ DATABASE_URL: postgres.url });
  stage.start();
  stage.start();
  await bothWork(stage);
  await postgres.crash();
  const away = Date.now();
  await wait(10_000);
  // What was claimed before may still be handed over.
  expect(received(stage, away, away + 10_000).all).toBeLessThanOrEqual(3 * rate);
  expect(received(stage, away + 3_000, away + 10_000).all).toBe(0);
  await postgres.restart();
  const back = Date.now();
  const goal = stage.sink.count() + 3 * rate;
  await eventually("sending goes on", async () => stage.sink.count() >= goal, 30_000);
  expect(received(stage, back, Date.now()).most).toBeLessThanOrEqual(rate * 1.15);
}, 240_000);

test.each(["over", "ended by an operator"])(
  "a pause that the relay asks one worker for stops both within a second or two, and when it is %s, one message ends it",
  async (end) => {
    const database = await freshDatabase();
    closing.push(() => database.drop());
    let pause: "ahead" | "next" | "asked" = "ahead";
    const stage = await open({ DATABASE_URL: database.url }, () => {
      if (pause !== "next") return null;
      pause = "asked";
      return "421 4.7.28 too fast";
    });
    const { sink, world } = stage;
    stage.start();
    stage.start();
    await bothWork(stage);
    pause = "next";
    await eventually("the relay has asked for a pause", async () => pause === "asked");
    const since = Date.now();
    await wait(5_000);
    expect(received(stage, since + 2_000, since + 5_000).all).toBe(0);
    const { db } = world.app;
    const before = sink.count();
    if (end === "over") await sql`update sending_limits set paused_until = now()`.execute(db);
    else await resumeRelay(world.app, { actor: "test" });
    await eventually("sending goes on", async () => sink.count() > before + rate, 30_000);
    const { rows } = await sql<{ paused_until: Date | null }>`select paused_until from sending_limits`.execute(db);
    expect(rows[0]!.paused_until).toBe(null);
  },
  240_000,
);
