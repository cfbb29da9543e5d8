import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bench, describe } from "vitest";
import { sendNow } from "../../src/editions/send-now.ts";
import { buildWeb } from "../../src/web/build.ts";
import { startWorker } from "../../src/worker.ts";
import { allEngines } from "../support/engines.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { signIn } from "../support/sign-in.ts";
import { startSinkProcess } from "../support/sink.ts";
import { openWorld } from "../support/world.ts";

const readers = 100_000;
const watchers = 20;
const windowMs = 2_500;
const program = fileURLToPath(new URL("../support/watch-process.ts", import.meta.url));
/** The production engines where this run has them. */
const { name, open } = allEngines[1] ?? allEngines[0]!;

interface Window {
  /** Mails a second, at the sink. */
  rate: number;
  /** Milliseconds of this process's processor time for each mail. */
  cost: number;
}

/**
 * What the live page costs the sender: pages and worker in one process, watchers and sink in processes of their own. In
 * the same edition, windows without watchers and with them take turns (off on, on off, off on …), so that what else the
 * machine does falls on both; the figure is the median of the pairs' ratios.
 */
describe(`${watchers} pages that watch ${readers} deliveries on ${name}`, () => {
  bench(
    "rate with them to rate without",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "dayletter-bench-"));
      const engines = await open();
      const logFile = join(folder, "accepted.jsonl");
      const sink = await startSinkProcess({ logFile });
      const env = { ...engines.env, SMTP_URL: sink.url, PUBLIC_URL: "http://localhost:3000" };
      const { app, close } = await openWorld({ env });
      // Of one length, as the lines of the sink's log are then too.
      const address = (_: unknown, n: number): string => `reader${String(n).padStart(6, "0")}@example.org`;
      await addAllNewsReaders(app, Array.from({ length: readers }, address));
      await addArticle(app, "News");
      const web = buildWeb(app);
      const { cookie } = await signIn({ app, inject: (options) => web.inject(options) });
      await web.listen({ host: "127.0.0.1", port: 0 });
      const url = `http://127.0.0.1:${(web.server.address() as AddressInfo).port}/operator/events`;
      const order = JSON.stringify({ url, cookie, watchers });
      const pages = spawn(process.execPath, ["--import", "tsx", program, order], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      const worker = await startWorker(app);
      await sendNow(app, { extra: false, actor: "bench" });
      const sent = counter(logFile);
      // The first window warms up everything.
      await measure(sent);
      const pairs: { off: Window; on: Window }[] = [];
      for (let begins: "off" | "on" = "off"; sent() < readers * 0.95; begins = begins === "off" ? "on" : "off") {
        const pair: Partial<Record<"off" | "on", Window>> = {};
        for (const state of begins === "off" ? (["off", "on"] as const) : (["on", "off"] as const)) {
          await turn(pages, state);
          pair[state] = await measure(sent);
        }
        if (sent() < readers) pairs.push(pair as { off: Window; on: Window });
      }
      process.stdout.write(sentenceOf(pairs));
      pages.kill();
      await web.close();
      await worker.stop();
      await close();
      await Promise.all([sink.kill(), engines.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
    { iterations: 1, warmupIterations: 0, warmupTime: 0, time: 0 },
  );
});

/** Mails accepted so far, told by the size of the log, which costs nobody anything. */
function counter(logFile: string): () => number {
  let line = 0;
  return () => {
    const { size } = statSync(logFile);
    if (line === 0 && size > 0) line = readFileSync(logFile).indexOf("\n") + 1;
    return line === 0 ? 0 : Math.floor(size / line);
  };
}

async function measure(sent: () => number): Promise<Window> {
  const [before, started, used] = [sent(), performance.now(), process.cpuUsage()];
  await wait(windowMs);
  const mails = sent() - before;
  const { user, system } = process.cpuUsage(used);
  return { rate: mails / ((performance.now() - started) / 1_000), cost: (user + system) / 1_000 / mails };
}

async function turn(pages: ChildProcess, state: "off" | "on"): Promise<void> {
  const done = once(pages.stdout!, "data");
  pages.stdin!.write(`${state}\n`);
  await done;
}

function sentenceOf(pairs: readonly { off: Window; on: Window }[]): string {
  const rate = median(pairs.map(({ off, on }) => on.rate / off.rate));
  const cost = median(pairs.map(({ off, on }) => on.cost / off.cost));
  const of = (state: "off" | "on"): number => Math.round(median(pairs.map((pair) => pair[state].rate)));
  const together = sum(pairs.map(({ on }) => on.rate)) / sum(pairs.map(({ off }) => off.rate));
  const all = pairs.map(({ off, on }) => (on.rate / off.rate).toFixed(3)).join(" ");
  return (
    `${watchers} watchers: ${of("on")} mails a second with them, ${of("off")} without; ratio ${rate.toFixed(3)} ` +
    `(median of ${pairs.length} pairs: ${all}), ${together.toFixed(3)} of all windows together; processor time of the sender for each mail ${cost.toFixed(3)} times that without\n`
  );
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
