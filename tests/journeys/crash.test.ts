import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendNow } from "../../src/editions/send-now.ts";
import { findEdition } from "../../src/editions/store.ts";
import { editionStatus, type EditionStatus } from "../../src/alerts/status.ts";
import { allEngines } from "../support/engines.ts";
import { askServer, startProgram, type Program } from "../support/program.ts";
import { addAllNewsReaders, addArticle } from "../support/readers.ts";
import { services } from "../support/services.ts";
import { startSinkProcess, type SinkProcess } from "../support/sink.ts";
import { eventually, openWorld, testEnv } from "../support/world.ts";

const connections = 10;

let folder: string;
let sink: SinkProcess;
let programs: Program[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dayletter-crash-"));
  sink = await startSinkProcess({ logFile: join(folder, "accepted.jsonl"), delayMs: 4 });
  programs = [];
});
afterEach(async () => {
  await Promise.all(programs.map((program) => program.end("SIGKILL")));
  await sink.kill();
  rmSync(folder, { recursive: true, force: true });
});

const start = (command: string, env: Record<string, string>): Program => {
  const program = startProgram([command], env);
  programs.push(program);
  return program;
};

/** An edition of so many mails, frozen and waiting; whoever starts next sends it. */
async function prepare(count: number, env: Record<string, string>): Promise<string> {
  const readers = Array.from({ length: count }, (_, i) => `reader${i}@example.org`);
  const world = await openWorld({ env, dataDir: join(folder, "data") });
  await addAllNewsReaders(world.app, readers);
  await addArticle(world.app, "Big news");
  const edition = await sendNow(world.app, { extra: false, actor: "test" });
  await world.close();
  return edition.date;
}

type Ending = Pick<EditionStatus, "state" | "balance">;

/** The edition once it is finished, as the database has it; or, where the server holds the database, as its API says. */
async function ended(env: Record<string, string>, date: string): Promise<Ending> {
  const embedded = env["DATABASE_URL"] === undefined;
  const world = embedded ? null : await openWorld({ env, dataDir: join(folder, "data") });
  const look = async (): Promise<Ending | undefined> => {
    if (world === null) return askServer<Ending>(join(folder, "data"), `/editions/${date}`);
    const edition = await findEdition(world.app.db, date);
    return edition && editionStatus(world.app.db, edition);
  };
  try {
    const finished = async () => {
      const found = await look();
      return found?.state === "finished" ? found : null;
    };
    return await eventually("the edition is finished", finished, 120_000);
  } finally {
    await world?.close();
  }
}

/** Everyone is accounted for, nobody got two, and what nobody can know is no more than was in flight. */
function expectExact(status: Ending, count: number, mostUnknown: number): void {
  const got = sink.accepted();
  const { sent, unknown } = status.balance;
  expect(sent + unknown).toBe(count);
  expect(unknown).toBeLessThanOrEqual(mostUnknown);
  expect(new Set(got.map((mail) => mail.to)).size).toBe(got.length);
  expect(got.length).toBeGreaterThanOrEqual(sent);
  expect(got.length).toBeLessThanOrEqual(sent + unknown);
  expect(new Set(got.map((mail) => mail.messageId)).size).toBe(got.length);
}

describe.each(allEngines)("on $name", ({ name, open }) => {
  test("kill -9 in the middle of 5,000 mails, then a start", { timeout: 180_000 }, async () => {
    const count = 5_000;
    const engines = await open();
    const env = { ...engines.env, SMTP_URL: sink.url, SMTP_CONNECTIONS: String(connections), LOG_LEVEL: "warn" };
    const all = testEnv(join(folder, "data"), env);
    const command = name === "embedded" ? "serve" : "worker";
    try {
      const date = await prepare(count, env);
      const first = start(command, all);
      await eventually("1,500 are sent", async () => sink.count() >= 1_500, 60_000);
      await first.end("SIGKILL");
      const second = start(command, all);
      // The next one is stopped by the book: it finishes what is in flight and leaves nothing unknown.
      await eventually("3,000 are sent", async () => sink.count() >= 3_000, 60_000);
      expect(await second.end("SIGTERM")).toBe(0);
      start(command, all);
      expectExact(await ended(env, date), count, 2 * connections);
    } finally {
      await Promise.all(programs.map((program) => program.end("SIGKILL")));
      await engines.close();
    }
  });
});

describe.runIf(services() !== null)("on PostgreSQL and Redis", () => {
  const count = 2_000;
  const { open } = allEngines.find((engines) => engines.name === "PostgreSQL and Redis") ?? allEngines[0]!;

  test.each([
    ["FLUSHALL in the middle", async () => undefined, 0],
    ["FLUSHALL and kill -9 in the middle", (program: Program) => program.end("SIGKILL"), 2 * connections],
  ])("%s", { timeout: 180_000 }, async (_what, harm, mostUnknown) => {
    const engines = await open();
    const env = { ...engines.env, SMTP_URL: sink.url, SMTP_CONNECTIONS: String(connections), LOG_LEVEL: "warn" };
    const all = testEnv(join(folder, "data"), env);
    const redis = new Redis(engines.env["REDIS_URL"]!);
    try {
      const date = await prepare(count, env);
      const first = start("worker", all);
      await eventually("700 are sent", async () => sink.count() >= 700, 60_000);
      const keys = await redis.keys("*");
      expect(keys.length).toBeGreaterThan(3);
      expect(keys.filter((key) => !key.startsWith("dayletter:"))).toEqual([]);
      await redis.flushdb();
      if ((await harm(first)) !== undefined) start("worker", all);
      expectExact(await ended(env, date), count, mostUnknown);
    } finally {
      redis.disconnect();
      await Promise.all(programs.map((program) => program.end("SIGKILL")));
      await engines.close();
    }
  });

  test("two workers share one edition, and every reader gets exactly one mail", { timeout: 120_000 }, async () => {
    const engines = await open();
    const env = { ...engines.env, SMTP_URL: sink.url, SMTP_CONNECTIONS: "5", LOG_LEVEL: "debug" };
    const all = testEnv(join(folder, "data"), env);
    try {
      const date = await prepare(count, env);
      const workers = [start("worker", { ...all, PORT: "0" }), start("worker", { ...all, PORT: "0" })];
      const status = await ended(env, date);
      expectExact(status, count, 0);
      expect(status.balance.sent).toBe(count);
      for (const worker of workers) {
        expect(await worker.end("SIGTERM")).toBe(0);
        expect(worker.output()).toMatch(/"handed":\d+.*slice processed/);
      }
    } finally {
      await engines.close();
    }
  });
});
