import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openPostgres, type Database } from "../../src/db/open.ts";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition, lockOpening } from "../../src/editions/store.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { startWorker } from "../../src/worker.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { freshDatabase } from "../support/services.ts";
import { startSink } from "../support/sink.ts";
import { eventually, openWorld } from "../support/world.ts";

let fresh: Awaited<ReturnType<typeof freshDatabase>>;
let database: Database;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openPostgres(fresh.url, { max: 2, silentMs: 1_000 });
});
afterEach(async () => {
  await database.close();
  await fresh.drop();
});

test("a database with limits and formats of its own serves an edition like any other", async () => {
  const defaults = [
    "datestyle to 'SQL, DMY'",
    "timezone to 'Pacific/Kiritimati'",
    "default_transaction_isolation to 'serializable'",
    "statement_timeout to '20ms'",
    "lock_timeout to '1ms'",
  ];
  const { pathname } = new URL(fresh.url);
  for (const one of defaults) await database.pool.query(`alter database ${pathname.slice(1)} set ${one}`);
  const readers = Array.from({ length: 400 }, (_, i) => `r${i}@example.org`);
  const sink = await startSink();
  const env = { DATABASE_URL: fresh.url, SMTP_URL: sink.url, SLICE_SIZE: "100" };
  const nodes = await Promise.all([openWorld({ env }), openWorld({ env })]);
  const [{ app }] = nodes;
  const workers = [];
  try {
    for (const node of nodes) workers.push(await startWorker(node.app));
    await addAllNewsReaders(app, readers);
    await addArticle(app, "News");
    const { date } = await sendNow(app, { extra: false, actor: "test" });
    expect(date).toBe(new Date().toISOString().slice(0, 10));
    const { balance } = await eventually("the edition is finished", async () => {
      const status = await editionStatus(app.db, await getEdition(app.db, date));
      return status.state === "finished" ? status : null;
    });
    expect(balance).toMatchObject({ sent: readers.length });
    expect(sink.count()).toBe(readers.length);
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await Promise.all(nodes.map((node) => node.close()));
    await sink.close();
  }
});

test("a node that falls silent in the middle of its work does not keep the others from theirs", async () => {
  const world = await openWorld({ env: { DATABASE_URL: fresh.url } });
  try {
    await addArticle(world.app, "News");
    const silent = database.db.transaction().execute(async (tx) => {
      await lockOpening(tx);
      await sendNow(world.app, { extra: false, actor: "test" });
      await sql`select 1`.execute(tx);
    });
    await expect(silent).rejects.toThrow();
    expect((await getEdition(world.app.db, new Date().toISOString().slice(0, 10))).articles).toBe(1);
  } finally {
    await world.close();
  }
});
