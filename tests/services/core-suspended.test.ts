import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition } from "../../src/editions/store.ts";
import { editionStatus } from "../../src/alerts/status.ts";
import { startProgram } from "../support/program.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { freshDatabase, freshRedis } from "../support/services.ts";
import { startSinkProcess } from "../support/sink.ts";
import { eventually, openWorld, testEnv } from "../support/world.ts";

const readers = 800;

test("a worker that is suspended until it counts as dead, and comes back, mails nobody twice and tells the truth", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-suspended-"));
  const [database, redis] = [await freshDatabase(), await freshRedis()];
  const sink = await startSinkProcess({ logFile: join(folder, "accepted.jsonl"), delayMs: 20 });
  const servers = { DATABASE_URL: database.url, REDIS_URL: redis.url, SMTP_URL: sink.url };
  const env = { ...servers, SMTP_CONNECTIONS: "5", SLICE_SIZE: "50", LOG_LEVEL: "warn" };
  const { app, close } = await openWorld({ env });
  await addAllNewsReaders(
    app,
    Array.from({ length: readers }, (_, i) => `r${i}@example.org`),
  );
  await addArticle(app, "News");
  const { date } = await sendNow(app, { extra: false, actor: "test" });
  const all = testEnv(join(folder, "data"), env);
  const workers = [startProgram(["worker"], all), startProgram(["worker"], all)] as const;
  const look = async () => editionStatus(app.db, await getEdition(app.db, date));
  try {
    await eventually("both are at work", async () => {
      const { rows } = await sql`select distinct claim from deliveries where state = 'sending'`.execute(app.db);
      return rows.length === 2;
    });
    process.kill(workers[0].pid, "SIGSTOP");
    await eventually("it counts as dead", async () => {
      await sql`update senders set beat_at = beat_at - interval '1 minute' where pid = ${workers[0].pid}`.execute(
        app.db,
      );
      await app.wake("recover", {});
      return (await look()).balance.unknown > 0;
    });
    process.kill(workers[0].pid, "SIGCONT");
    const { balance } = await eventually("everyone has theirs", async () => {
      await app.wake("recover", {});
      const status = await look();
      return status.balance.sent === readers && status.state === "finished" ? status : null;
    });
    expect(balance).toMatchObject({ unknown: 0, rejected: 0 });
    expect(sink.accepted()).toHaveLength(readers);
  } finally {
    process.kill(workers[0].pid, "SIGCONT");
    await Promise.all(workers.map((worker) => worker.end("SIGTERM")));
    await close();
    await sink.kill();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  }
});
