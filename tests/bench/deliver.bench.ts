import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, bench, describe } from "vitest";
import { sendNow } from "../../src/editions/send-now.ts";
import { getEdition } from "../../src/editions/store.ts";
import { startWorker } from "../../src/worker.ts";
import { allEngines } from "../support/engines.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { startSinkProcess } from "../support/sink.ts";
import { eventually, openWorld } from "../support/world.ts";

const readers = 5_000;

/** From "send now" to the closed edition: gather, freeze, fan-out, render, 5,000 mails over SMTP, ledger, balance. */
describe.each(allEngines)(`an edition of ${readers} mails on $name`, ({ open }) => {
  const folder = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  bench(
    "10 connections to a sink in another process",
    async () => {
      const engines = await open();
      const sink = await startSinkProcess({ logFile: join(folder, "accepted.jsonl") });
      const { app, close } = await openWorld({ env: { ...engines.env, SMTP_URL: sink.url } });
      await addAllNewsReaders(
        app,
        Array.from({ length: readers }, (_, i) => `reader${i}@example.org`),
      );
      await addArticle(app, "News");
      const worker = await startWorker(app);
      const begun = performance.now();
      const { date } = await sendNow(app, { extra: false, actor: "bench" });
      await eventually("it is finished", async () => (await getEdition(app.db, date)).state === "finished", 120_000);
      const rate = Math.round(readers / ((performance.now() - begun) / 1_000));
      process.stdout.write(`${rate} mails a second, from the decision to the closed edition\n`);
      await worker.stop();
      await close();
      await Promise.all([sink.kill(), engines.close()]);
    },
    { iterations: 1, warmupIterations: 0, warmupTime: 0, time: 0 },
  );
});
