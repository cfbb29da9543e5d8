import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { Job, Processor, Queue, Worker } from "bullmq";
import { Temporal } from "temporal-polyfill";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { QueueConnection } from "../../src/queue/connection.ts";
import { jobOptions } from "../../src/queue/contract.ts";
import { schedulesAre, setSchedules } from "../../src/schedule/schedulers.ts";

export interface OpenQueue {
  connection: QueueConnection;
  /** Closes the connection and what lies under it. */
  close(): Promise<void>;
}

/** A little more than clocks and rounding may differ by. */
const toleranceMs = 20;

/** What the program relies on, whichever backend BullMQ runs on. Run it once for each of them. */
export function queueContract(name: string, open: () => Promise<OpenQueue>): void {
  describe(`the queue on ${name}`, () => {
    let opened: OpenQueue;
    let queue: Queue;
    let workers: Worker[];

    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());
    beforeEach(() => {
      queue = opened.connection.queue(`contract-${randomUUID()}`);
      workers = [];
    });
    afterEach(async () => {
      await Promise.all(workers.map((worker) => worker.close(true)));
      await queue.obliterate({ force: true });
      await queue.close();
    });

    const work = (processor: Processor, options: object = {}): Worker => {
      const worker = opened.connection.worker(queue.name, processor, { drainDelay: 1, ...options });
      worker.on("error", () => undefined);
      workers.push(worker);
      return worker;
    };

    it("answers a ping", async () => {
      await expect(opened.connection.ping()).resolves.toBeUndefined();
    });

    it("hands over the payload as it was given, and keeps what the processor returns", async () => {
      const payload = { editionId: 9007199254740991, tags: ["lg u+", "한국"] };
      const worker = work(async (job) => job.data as object);
      await queue.add("look", payload);
      const [job, result] = (await once(worker, "completed")) as [Job, unknown];
      expect(job.data).toEqual(payload);
      expect(result).toEqual(payload);
    });

    it("runs a delayed job when its time has come, and not before", async () => {
      const worker = work(async () => Date.now());
      const asked = Date.now();
      const job = await queue.add("later", {}, { delay: 400 });
      expect(await job.getState()).toBe("delayed");
      const [, ran] = (await once(worker, "completed")) as [Job, number];
      expect(ran - asked).toBeGreaterThanOrEqual(400 - toleranceMs);
      expect(ran - asked).toBeLessThan(5_000);
    });

    it.each(["Europe/Berlin", "America/Santiago", "Asia/Seoul"])("wakes at 07:00 in %s", async (tz) => {
      await queue.upsertJobScheduler("open-edition", { pattern: "0 7 * * *", tz }, { name: "open-edition", data: {} });
      const scheduler = await queue.getJobScheduler("open-edition");
      expect(scheduler?.next).toBe(nextSeven(tz));
    });

    it("keeps one scheduler per name, the last one set", async () => {
      const set = (tz: string) =>
        queue.upsertJobScheduler("open-edition", { pattern: "0 7 * * *", tz }, { name: "open-edition", data: {} });
      await set("Europe/Berlin");
      await set("Asia/Seoul");
      const schedulers = await queue.getJobSchedulers();
      expect(schedulers.map(({ key, tz, next }) => ({ key, tz, next }))).toEqual([
        { key: "open-edition", tz: "Asia/Seoul", next: nextSeven("Asia/Seoul") },
      ]);
      expect(await queue.getDelayedCount()).toBe(1);
    });

    it("has each schedule once however many nodes set it at the same time", async () => {
      const schedule = {
        sendAt: "07:00",
        sendDays: [1, 2, 3, 4, 5],
        timezone: "Asia/Seoul",
        skipped: new Set<string>(),
      };
      for (let round = 0; round < 10; round += 1) {
        await Promise.all(Array.from({ length: 4 }, () => setSchedules({ editions: queue }, schedule)));
        expect(await schedulesAre({ editions: queue }, schedule)).toBe(true);
        const keys = (await queue.getJobSchedulers()).map(({ key }) => key);
        expect(keys.toSorted()).toEqual(["ask-again", "open-edition", "recover", "retention"]);
        for (const key of keys) await queue.removeJobScheduler(key);
      }
    });

    it("wakes again and again at an interval", async () => {
      const worker = work(async () => undefined);
      await queue.upsertJobScheduler("recover", { every: 150 }, { name: "recover", data: {} });
      for (let wakes = 0; wakes < 3; wakes += 1) await once(worker, "completed");
      await queue.removeJobScheduler("recover");
    });

    it("tries a failed job again after its back-off, and gives up after the last attempt", async () => {
      const times: number[] = [];
      const worker = work(async () => {
        times.push(Date.now());
        throw new Error("relay away");
      });
      const job = await queue.add("try", {}, { attempts: 3, backoff: { type: "exponential", delay: 200 } });
      while (times.length < 3) await once(worker, "failed");
      expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(200 - toleranceMs);
      expect(times[2]! - times[1]!).toBeGreaterThanOrEqual(400 - toleranceMs);
      expect(await job.getState()).toBe("failed");
    });

    it("gives the job of a worker that died to another one", async () => {
      const dead = opened.connection.worker(queue.name, null as never, { lockDuration: 300, autorun: false });
      workers.push(dead);
      await queue.add("look", { editionId: 1 });
      const taken = await dead.getNextJob(randomUUID());
      expect(taken?.data).toEqual({ editionId: 1 });
      const worker = work(async () => undefined, { stalledInterval: 300, maxStalledCount: 1_000 });
      const [job] = (await once(worker, "completed")) as [Job];
      expect(job.id).toBe(taken?.id);
    });

    it("takes one of several jobs with the same deduplication id, and a new one once that is done", async () => {
      const options = jobOptions("deliver-slice", { editionId: 7, slice: 0 });
      const asked = await Promise.all(
        Array.from({ length: 5 }, () => queue.add("deliver-slice", { editionId: 7, slice: 0 }, options)),
      );
      expect(new Set(asked.map((job) => job.id)).size).toBe(1);
      expect(await queue.getWaitingCount()).toBe(1);
      const worker = work(async () => undefined);
      await once(worker, "completed");
      const again = once(worker, "completed");
      await queue.add("deliver-slice", { editionId: 7, slice: 0 }, options);
      await again;
    });

    it("remembers one more look that was asked for while the first was under way", async () => {
      let finish!: () => void;
      const held = new Promise<void>((resolve) => (finish = resolve));
      let runs = 0;
      const worker = work(async () => {
        runs += 1;
        if (runs === 1) await held;
      });
      const options = jobOptions("queue-slices", { editionId: 7 });
      const active = once(worker, "active");
      await queue.add("queue-slices", { editionId: 7 }, options);
      await active;
      await queue.add("queue-slices", { editionId: 7 }, options);
      await queue.add("queue-slices", { editionId: 7 }, options);
      finish();
      while (runs < 2) await once(worker, "completed");
    });

    it("keeps one look at an instant to come, however often it is asked for, beside those that are wanted now", async () => {
      const later = { at: new Date(Date.now() + 300), now: new Date() };
      for (let n = 0; n < 3; n += 1) await queue.add("open-edition", {}, jobOptions("open-edition", {}, later));
      expect(await queue.getDelayedCount()).toBe(1);
      const ran: number[] = [];
      const worker = work(async () => void ran.push(Date.now()));
      const now = once(worker, "completed");
      await queue.add("open-edition", {}, jobOptions("open-edition", {}));
      await now;
      while (ran.length < 2) await once(worker, "completed");
      expect(ran[1]).toBeGreaterThanOrEqual(later.at.getTime() - toleranceMs);
    });

    it("shares jobs out among workers, each to one of them", async () => {
      const seen: number[] = [];
      const processor: Processor = async (job) => void seen.push((job.data as { n: number }).n);
      const two = [work(processor, { concurrency: 4 }), work(processor, { concurrency: 4 })];
      const done = new Promise<void>((resolve) => {
        let completed = 0;
        for (const worker of two) worker.on("completed", () => (completed += 1) === 60 && resolve());
      });
      await queue.addBulk(Array.from({ length: 60 }, (_, n) => ({ name: "look", data: { n } })));
      await done;
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    });

    it("wakes the other workers at once after one has closed", async () => {
      const [closing, staying] = [work(async () => undefined), work(async () => undefined)];
      await Promise.all([closing.waitUntilReady(), staying.waitUntilReady()]);
      await closing.close();
      const completed = once(staying, "completed");
      const asked = Date.now();
      await queue.add("look", {});
      await completed;
      expect(Date.now() - asked).toBeLessThan(1_000);
    });
  });
}

/** The next 07:00 in a zone, by a reckoning of its own (Temporal, not the queue's cron parser), in milliseconds. */
function nextSeven(timeZone: string): number {
  const here = Temporal.Now.zonedDateTimeISO(timeZone);
  const today = here.withPlainTime("07:00");
  const next = Temporal.ZonedDateTime.compare(today, here) > 0 ? today : here.add({ days: 1 }).withPlainTime("07:00");
  return next.epochMilliseconds;
}
