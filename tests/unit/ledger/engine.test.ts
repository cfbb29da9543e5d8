import { EventEmitter, once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { fixedPermits, sendDue } from "../../../src/ledger/engine.ts";
import type { Ledger } from "../../../src/ledger/ledger.ts";

interface Row {
  id: number;
}

/** A ledger with so many rows that are due, which records what was settled and whether it was flushed after that. */
function ledgerOf(due: number) {
  const settled: number[] = [];
  const free = Array.from({ length: due }, (_, id) => id);
  let claims = 0;
  let flushed = 0;
  const ledger: Ledger<object, Row, Row> = {
    async claim({ count }) {
      const asked = count();
      claims += 1;
      return { claimed: free.splice(0, asked).map((id) => ({ id })), skipped: 0, asked };
    },
    record: ({ id }) => void settled.push(id),
    async giveBack(ids) {
      free.unshift(...(ids as number[]));
    },
    async flush() {
      flushed = settled.length;
    },
    close: async () => undefined,
  };
  return { ledger, settled, free, claims: () => claims, flushed: () => flushed };
}

const never = new AbortController().signal;

afterEach(() => void vi.useRealTimers());

test("everything that is due is sent once, never more at a time than there are permits", async () => {
  const { ledger, settled, flushed } = ledgerOf(50);
  const permits = fixedPermits(4);
  let [busy, most] = [0, 0];
  const send = async (row: Row): Promise<Row> => {
    most = Math.max(most, ++busy);
    await wait(row.id % 3);
    busy -= 1;
    permits.release(1);
    return row;
  };
  expect(await sendDue({ permits, ledger, request: {}, send }, never)).toBe(50);
  expect(new Set(settled).size).toBe(50);
  expect(flushed()).toBe(50);
  expect(most).toBe(4);
  expect(permits.more(10)).toBe(4);
});

test("the next are claimed while the first are being sent", async () => {
  const { ledger, claims } = ledgerOf(4);
  const permits = fixedPermits(2);
  const claiming = new EventEmitter();
  const claimedAgain = once(claiming, "again");
  const claim = ledger.claim.bind(ledger);
  ledger.claim = async (request) => {
    const answer = await claim(request);
    if (claims() === 2) claiming.emit("again");
    return answer;
  };
  const send = async (row: Row): Promise<Row> => {
    await claimedAgain;
    permits.release(1);
    return row;
  };
  expect(await sendDue({ permits, ledger, request: {}, send }, never)).toBe(4);
});

test.each([
  ["the last one", 1],
  ["some", 3],
])("claims of %s that get no permit soon are free for others, and are made again then", async (_, due) => {
  vi.useFakeTimers();
  const { ledger, settled, free } = ledgerOf(due);
  const permits = fixedPermits(2);
  permits.more(2);
  const sending = sendDue(
    {
      permits,
      ledger,
      request: {},
      send: async (row) => {
        permits.release(1);
        return row;
      },
    },
    never,
  );
  await vi.advanceTimersByTimeAsync(500);
  expect(free).toHaveLength(Math.max(0, due - 2));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(free).toHaveLength(due);
  permits.release(2);
  expect(await sending).toBe(due);
  expect(new Set(settled).size).toBe(due);
});

test("permits that come every two seconds are used, and few rows are claimed for each", async () => {
  vi.useFakeTimers();
  const { ledger, settled, free } = ledgerOf(40);
  let rows = 0;
  const claim = ledger.claim.bind(ledger);
  ledger.claim = async (request) => {
    const answer = await claim(request);
    rows += answer.claimed.length;
    return answer;
  };
  let unused = 0;
  const permits = {
    connections: 10,
    reserve: (max: number) => new Promise<number>((resolve) => void setTimeout(() => resolve(Math.min(max, 1)), 2_000)),
    more: () => 0,
    release: (n: number) => void (unused += n),
  };
  const sending = sendDue({ permits, ledger, request: {}, send: async (row) => row }, never);
  // In steps, because the engine also waits for real turns of the event loop.
  for (let passed = 500; passed < 40 * 2_000; passed += 500) await vi.advanceTimersByTimeAsync(500);
  // Waiting claims are free for others, and an edition that is paused meanwhile stops at once.
  expect([settled.length, free.length]).toEqual([39, 1]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await sending).toBe(40);
  expect(settled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, id) => id));
  expect(unused).toBe(0);
  expect(rows).toBeLessThan(2 * 40 + 20);
  vi.useRealTimers();
});

test("permits that are granted after the claims could not be freed are given back", async () => {
  vi.useFakeTimers();
  const { ledger } = ledgerOf(1);
  ledger.giveBack = () => Promise.reject(new Error("the database is away"));
  const permits = fixedPermits(2);
  permits.more(2);
  const sending = expect(sendDue({ permits, ledger, request: {}, send: async (row) => row }, never)).rejects.toThrow(
    "away",
  );
  await vi.advanceTimersByTimeAsync(1_500);
  await sending;
  permits.release(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(permits.more(10)).toBe(2);
});

test("permits in hand are given back when a claim fails", async () => {
  vi.useFakeTimers();
  const { ledger } = ledgerOf(1);
  const permits = fixedPermits(2);
  permits.more(2);
  const sending = expect(sendDue({ permits, ledger, request: {}, send: async (row) => row }, never)).rejects.toThrow(
    "away",
  );
  await vi.advanceTimersByTimeAsync(1_500);
  ledger.claim = () => Promise.reject(new Error("away"));
  permits.release(2);
  await sending;
  expect(permits.more(10)).toBe(2);
  vi.useRealTimers();
});

test("atOnce leaves the other permits to others", async () => {
  const { ledger } = ledgerOf(10);
  const permits = fixedPermits(8);
  let [busy, most] = [0, 0];
  const send = async (row: Row): Promise<Row> => {
    most = Math.max(most, ++busy);
    await wait(5);
    busy -= 1;
    permits.release(1);
    return row;
  };
  expect(await sendDue({ permits, ledger, request: {}, atOnce: 2, send }, never)).toBe(10);
  expect(most).toBe(2);
});

test("what is slow is waited for, unless it may be left to the ledger", async () => {
  const slow = async (row: Row): Promise<Row> => {
    await wait(200);
    return row;
  };
  const left = ledgerOf(1);
  await sendDue({ permits: fixedPermits(1), ledger: left.ledger, request: {}, lingerMs: 1, send: slow }, never);
  expect(left.flushed()).toBe(0);
  const waited = ledgerOf(1);
  await sendDue({ permits: fixedPermits(2), ledger: waited.ledger, request: {}, send: slow }, never);
  expect(waited.flushed()).toBe(1);
});

test("once aborted nothing more is claimed, what is in flight is settled, and the rest is given back", async () => {
  const { ledger, settled, free } = ledgerOf(1_000);
  const permits = fixedPermits(2);
  const stopping = new AbortController();
  const send = async (row: Row): Promise<Row> => {
    await wait(5);
    if (row.id === 5) stopping.abort();
    permits.release(1);
    return row;
  };
  const handed = await sendDue({ permits, ledger, request: {}, lingerMs: 1, send }, stopping.signal);
  expect(handed).toBeLessThan(12);
  expect(settled).toHaveLength(handed);
  expect(free).toHaveLength(1_000 - handed);
});

test("what is held back is claimed again once an outcome makes room, and what may not go any more is given back", async () => {
  const { ledger, settled, free } = ledgerOf(4);
  const permits = fixedPermits(4);
  const claim = ledger.claim.bind(ledger);
  let inFlight = 0;
  // One at a time, as for a provider that comes back after a pause.
  ledger.claim = async (request) => {
    if (free.length === 0) return claim(request);
    const room = inFlight === 0;
    inFlight += room ? 1 : 0;
    return room ? claim({ ...request, count: () => 1 }) : { claimed: [], skipped: 0, asked: 1, heldBack: ["provider"] };
  };
  const refused = new Set([2]);
  const work = {
    permits,
    ledger,
    request: {},
    turns: {
      mayBeSent: ({ id }: Row) => !refused.has(id),
      awaits: (_one: Row, heldBack: readonly string[]) => heldBack.includes("provider"),
      isSlow: () => false,
    },
    async send(row: Row): Promise<Row> {
      await wait(1);
      permits.release(1);
      inFlight -= 1;
      return row;
    },
  };
  ledger.giveBack = async (ids) => {
    // A paused provider's room goes to no other.
    inFlight -= ids.length;
    refused.clear();
    free.unshift(...(ids as number[]));
  };
  expect(await sendDue(work, never)).toBe(4);
  expect(settled).toEqual([0, 1, 2, 3]);
});

test("a slow outcome keeps the end no longer than a prompt one", async () => {
  const { ledger } = ledgerOf(1);
  const started = performance.now();
  const stuck = new Promise<Row>(() => undefined);
  const turns = { mayBeSent: () => true, awaits: () => false, isSlow: () => true };
  await sendDue({ permits: fixedPermits(1), ledger, request: {}, lingerMs: 60_000, turns, send: () => stuck }, never);
  expect(performance.now() - started).toBeLessThan(10_000);
});
