import { setTimeout as wait } from "node:timers/promises";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import type { Log } from "../../src/base/log.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition } from "../../src/editions/store.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { startWorker } from "../../src/worker.ts";
import { closedAfterEach } from "../support/closing.ts";
import { startPostgres, startRedis, type PrivateServer } from "../support/private-servers.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const readers = 2_500;
const connections = 8;
const delayMs = 20;
const outageMs = 8_000;
const limitMs = 5_000;

const closing = closedAfterEach();

interface Stage {
  postgres: PrivateServer;
  redis: PrivateServer | null;
  /** The relay; after an outage the new one comes second. */
  sinks: Sink[];
  world: World;
  lines: { message: string; fields: object }[];
}

type Queue = "Redis" | "Redis without AOF" | "PostgreSQL";

async function open(queue: Queue): Promise<Stage> {
  const postgres = await startPostgres({ durable: true });
  closing.push(() => postgres.stop());
  const redis = queue === "PostgreSQL" ? null : await startRedis({ durable: queue === "Redis" });
  if (redis) closing.push(() => redis.stop());
  const sinks = [await startSink({ delayMs })];
  closing.push(() => Promise.all(sinks.map((sink) => sink.close())));
  const lines: Stage["lines"] = [];
  const note = (fields: object, message: string): void => {
    lines.push({ fields, message });
  };
  const log: Log = { debug: () => undefined, info: note, warn: note, error: note };
  const world = await openWorld({
    log,
    env: {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis?.url ?? "",
      SMTP_URL: sinks[0]!.url,
      SMTP_CONNECTIONS: String(connections),
      SLICE_SIZE: "100",
    },
  });
  closing.push(() => world.close());
  const worker = await startWorker(world.app);
  closing.push(() => worker.stop());
  return { postgres, redis, sinks, world, lines };
}

const stories: [Queue, string, (stage: Stage) => Promise<void>][] = [
  ["Redis", "PostgreSQL crashes for 8 s", ({ postgres }) => outage(postgres)],
  ["PostgreSQL", "PostgreSQL crashes for 8 s", ({ postgres }) => outage(postgres)],
  ["Redis", "Redis crashes for 8 s", ({ redis }) => outage(redis!)],
  ["Redis without AOF", "Redis crashes and comes back empty", ({ redis }) => outage(redis!)],
  [
    "Redis",
    "Redis loses everything while it runs",
    async ({ redis }) => {
      const client = new Redis(redis!.url);
      await client.flushall();
      client.disconnect();
    },
  ],
  [
    "Redis",
    "the relay goes away for a while",
    async (stage) => {
      const { port } = stage.sinks[0]!;
      await stage.sinks[0]!.close();
      await wait(outageMs);
      stage.sinks.push(await startSink({ delayMs, port }));
    },
  ],
];

async function outage(server: PrivateServer): Promise<void> {
  await server.crash();
  await wait(outageMs);
  await server.restart();
}

test.each(stories)(
  "queue in %s: %s, and sending goes on within 5 s of its return",
  async (queue, _what, harm) => {
    const stage = await open(queue);
    const { world, sinks, lines } = stage;
    const { db } = world.app;
    const mails = () => sinks.flatMap((sink) => sink.messages);
    await addAllNewsReaders(
      world.app,
      Array.from({ length: readers }, (_, i) => `r${i}@example.org`),
    );
    await addArticle(world.app, "News");
    const { date } = await sendNow(world.app, { extra: false, actor: "test" });
    await sinks[0]!.waitFor(300);
    await harm(stage);
    const returned = performance.now();
    // More than the claims that were made before.
    const goal = mails().length + 5 * connections;
    await eventually("sending goes on", async () => mails().length >= goal, 60_000);
    const resumedMs = performance.now() - returned;
    const { balance } = await eventually(
      "the edition is finished",
      async () => {
        const edition = await getEdition(db, date);
        return edition.state === "finished" ? editionStatus(db, edition) : null;
      },
      90_000,
    );
    expect(mails()).toHaveLength(balance.sent);
    expect(new Set(mails().map(({ to }) => to)).size).toBe(balance.sent);
    // A relay that is cut off may have taken what it had in hand.
    expect(balance.unknown).toBeLessThanOrEqual(sinks.length > 1 ? connections : 0);
    expect(balance.sent + balance.unknown).toBe(readers);
    expect(resumedMs).toBeLessThan(limitMs);
    expect(lines.length).toBeLessThan(40);
  },
  180_000,
);
