import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { sql } from "kysely";
import { openPostgres, type Database } from "../../src/db/open.ts";
import { getEdition } from "../../src/editions/store.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { startWorker, type RunningWorker } from "../../src/worker.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { freshDatabase, freshRedis } from "../support/services.ts";
import { startSink, type Sink } from "../support/sink.ts";
import { eventually, openWorld, type World } from "../support/world.ts";

const readers = 1_500;
const connections = 8;

let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let redis: Awaited<ReturnType<typeof freshRedis>>;
let database: Database;
let ways: Record<"database" | "queue", Proxy>;
let sink: Sink;
let world: World;
let worker: RunningWorker | null;

const open = async (queue: "Redis" | "PostgreSQL"): Promise<void> => {
  fresh = await freshDatabase();
  redis = await freshRedis();
  database = openPostgres(fresh.url);
  ways = { database: await startProxy(fresh.url), queue: await startProxy(redis.url) };
  sink = await startSink({ delayMs: 3 });
  const env = {
    DATABASE_URL: ways.database.url,
    REDIS_URL: queue === "Redis" ? ways.queue.url : "",
    SMTP_URL: sink.url,
  };
  world = await openWorld({ env: { ...env, SMTP_CONNECTIONS: String(connections), SLICE_SIZE: "100" } });
  worker = null;
};
afterEach(async () => {
  await worker?.stop();
  await world.close();
  await Promise.all([sink.close(), ways.database.close(), ways.queue.close(), database.close()]);
  await fresh.drop();
});

const begin = async () => {
  await addAllNewsReaders(
    world.app,
    Array.from({ length: readers }, (_, i) => `r${i}@example.org`),
  );
  await addArticle(world.app, "News");
  worker = await startWorker(world.app);
  const { id, date } = await sendNow(world.app, { extra: false, actor: "test" });
  return { id, date };
};
const finished = (date: string) =>
  eventually("the edition is finished", async () => {
    const edition = await getEdition(database.db, date);
    if (edition.state === "finished") return editionStatus(database.db, edition);
    // What the next minute would do.
    await world.app.wake("recover", {});
    return null;
  });
const killConnections = () =>
  sql`select pg_terminate_backend(pid) from pg_stat_activity
    where pid <> pg_backend_pid() and datname = current_database()`.execute(database.db);

const stories: [string, () => Promise<void>][] = [
  [
    "PostgreSQL goes away for a while",
    async () => {
      await ways.database.away();
      await wait(1_500);
      await ways.database.back();
    },
  ],
  [
    "PostgreSQL ends every connection, five times",
    async () => {
      for (let i = 0; i < 5; i++) {
        await killConnections();
        await wait(150);
      }
    },
  ],
  [
    "Redis restarts empty",
    async () => {
      await ways.queue.away();
      await redis.flush();
      await wait(500);
      await ways.queue.back();
    },
  ],
];

test.each([
  ...stories.map(([what, harm]) => ["Redis", what, harm] as const),
  ...stories.slice(1, 2).map(([what, harm]) => ["PostgreSQL", what, harm] as const),
])("queue in %s: %s in the middle, and everyone gets one mail with a known outcome", async (queue, _what, harm) => {
  await open(queue);
  const { date } = await begin();
  await sink.waitFor(300);
  await harm();
  const { balance } = await finished(date);
  expect(balance).toMatchObject({ sent: readers, unknown: 0 });
  expect(sink.count()).toBe(readers);
});
