import { Redis } from "ioredis";
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isConnectionError, watchEngine } from "../../../src/base/engine-watch.ts";
import { freePort } from "../../../src/base/free-port.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

/** A watch of a server that can be switched off, and what it said and did. */
function stage() {
  const seen = { probes: 0, lines: [] as string[], calls: [] as string[] };
  const server = { answers: true };
  const note = (_fields: object, message: string) => void seen.lines.push(message);
  const watch = watchEngine({
    name: "PostgreSQL",
    async probe() {
      seen.probes += 1;
      if (!server.answers) throw new Error("ECONNREFUSED");
    },
    log: { debug: note, info: note, warn: note, error: note },
  });
  watch.follow({ away: () => seen.calls.push("away"), back: () => seen.calls.push("back") });
  return { watch, server, seen };
}
const never = new AbortController().signal;

test("an outage of an hour is looked at about once a second, and logged twice", async () => {
  const { watch, server, seen } = stage();
  server.answers = false;
  for (let i = 0; i < 50; i += 1) watch.suspect();
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(watch.away()).toBe(true);
  expect(seen.probes).toBeGreaterThan(3_000);
  expect(seen.probes).toBeLessThan(7_300);
  let waited = false;
  void watch.back(never).then(() => (waited = true));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(waited).toBe(false);
  server.answers = true;
  await vi.advanceTimersByTimeAsync(1_100);
  expect([waited, watch.away()]).toEqual([true, false]);
  expect(seen.calls).toEqual(["away", "back"]);
  expect(seen.lines).toHaveLength(2);
});

test("nothing is asked while nothing is suspected", async () => {
  const { watch, seen } = stage();
  await watch.back(never);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.probes).toBe(0);
});

test("an error that comes although the server answers is looked at without a word, and makes no loop", async () => {
  const { watch, seen } = stage();
  let tries = 0;
  const stubborn = async () => {
    while (tries < 100) {
      await watch.back(never);
      tries += 1;
      watch.suspect();
    }
  };
  void stubborn();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(30);
  expect(seen.lines).toEqual([]);
  watch.close();
});

test("whoever waits goes on when told to stop, and when the watch is closed", async () => {
  const { watch, server } = stage();
  server.answers = false;
  watch.suspect();
  const stopping = new AbortController();
  const [stopped, closed] = [watch.back(stopping.signal), watch.back(never)];
  stopping.abort();
  await stopped;
  watch.close();
  await closed;
});

test("what pg and ioredis throw when nobody listens is a connection error, and what a server refuses is not", async () => {
  vi.useRealTimers();
  const port = await freePort();
  const client = new pg.Client({ host: "127.0.0.1", port });
  const redis = new Redis({ host: "127.0.0.1", port, maxRetriesPerRequest: 0, retryStrategy: () => null });
  redis.on("error", () => undefined);
  const errors = [
    await client.connect().catch((error: unknown) => error),
    await redis.ping().catch((error: unknown) => error),
    Object.assign(new Error("the database system is starting up"), { code: "57P03" }),
    new Error("Connection terminated unexpectedly"),
    new Error("wrapped", { cause: Object.assign(new Error("x"), { code: "EPIPE" }) }),
    new AggregateError([Object.assign(new Error("x"), { code: "ENOTFOUND" })]),
  ];
  expect(errors.map(isConnectionError)).toEqual(errors.map(() => true));
  const others = [Object.assign(new Error("duplicate key"), { code: "23505" }), new Error("no"), "ECONNREFUSED", null];
  expect(others.map(isConnectionError)).toEqual(others.map(() => false));
});
