import { setTimeout as wait } from "node:timers/promises";
import { isConnectionError } from "./base/engine-watch.ts";
import { reasonOf } from "./base/errors.ts";
import { processors } from "../jobs/index.ts";
import type { App } from "./app.ts";
import { ensurePartitions } from "./deliveries/partitions.ts";
import { openBounceListener } from "./outcomes/listener.ts";
import { readBounceMailbox } from "./outcomes/mailbox.ts";
import { beat, beatEveryMs, forgetGoneNeighbours, signOff, sweepDeadClaims } from "./ledger/dead-senders.ts";
import { setSchedules, keepSchedules } from "./schedule/schedulers.ts";
import { startWorkers } from "./queue/queues.ts";
import { adoptSettings } from "./editions/change-schedule.ts";
import { loadSchedule } from "./schedule/store.ts";

const watchdogMs = 15_000;
/** Redis can lose everything without a connection being lost (FLUSHALL), so that only looking tells. */
const redisWatchdogMs = 3_000;
/** For writing down what was cut off. */
const lastWordsMs = 2_000;

export interface RunningWorker {
  /** The queues that it takes no job from any more. */
  ended(): string[];
  /** Takes no new work, finishes what is in flight within `graceMs`, and signs off. */
  stop(graceMs?: number): Promise<void>;
}

/** Starts the part that works: the queues' workers, the schedules, and this process's heartbeat as a sender. */
export async function startWorker(app: App): Promise<RunningWorker> {
  await prepareWorker(app);
  return beginWork(app);
}

/** What must be done before any page is served: takes over what a former process has left, and the settings. */
export async function prepareWorker(app: App): Promise<void> {
  const { db, log, sender } = app;
  await beat(db, sender);
  await takeOver(app);
  await ensurePartitions(db);
  if (await adoptSettings(app)) log.info({}, "schedule taken from the settings");
  await setSchedules(app.queues, await loadSchedule(db));
}

/** Takes jobs from the queues from now on. After `prepareWorker`. */
export async function beginWork(app: App): Promise<RunningWorker> {
  const { db, log, sender } = app;
  const bounces = await receiveBounces(app);
  const stopping = new AbortController();
  const { records, queue } = app.engines;
  const workers = startWorkers(app.queue, processors(app), { log, watch: queue, records, signal: stopping.signal });
  const keep = keepSchedules(app);
  const look = (work: () => Promise<void>): void => void attempt(work, app);
  const timers = [
    setInterval(() => look(() => beat(db, sender)), beatEveryMs),
    setInterval(() => look(keep), app.config.redisUrl === null ? watchdogMs : redisWatchdogMs),
  ];
  // What an outage has left undone is looked for at once, not only at the next minute.
  const resume = async (): Promise<void> => {
    if (stopping.signal.aborted || records.away() || queue.away()) return;
    await beat(db, sender);
    await keep();
    await app.wake("recover", {});
  };
  for (const engine of [records, queue]) engine.follow({ back: () => look(resume) });
  await app.wake("recover", {});
  return {
    ended: () => workers.filter((worker) => !worker.isRunning() && !worker.isPaused()).map(({ name }) => name),
    async stop(graceMs = 10_000) {
      timers.forEach(clearInterval);
      stopping.abort();
      const finished = [
        ...bounces.map((one) => one.close()),
        app.transport.close(graceMs),
        ...workers.map((worker) => worker.close()),
      ];
      await Promise.race([Promise.all(finished), wait(graceMs + lastWordsMs, null, { ref: false })]);
      await app.closeLedgers(lastWordsMs);
      await signOff(db, sender).catch((error: unknown) =>
        log.warn({ reason: reasonOf(error) }, "heartbeat could not be removed"),
      );
    },
  };
}

/** Opens the ways in for bounces. The settings require `BOUNCE_ADDRESS` for each. */
async function receiveBounces(app: App): Promise<{ close(): Promise<void> }[]> {
  const { bounceAddress, bounceListen, bounceImap } = app.config;
  if (bounceAddress === null) return [];
  const listener = bounceListen && (await openBounceListener(app, { ...bounceListen, bounceAddress }));
  const mailbox = bounceImap && readBounceMailbox(app, { mailbox: bounceImap, bounceAddress });
  return [listener, mailbox].filter((one) => one !== null);
}

/** What this machine's former processes left claimed. The embedded engine has one process, so all other claims are dead. */
async function takeOver({ config, db, clock, log, sender }: App): Promise<void> {
  await forgetGoneNeighbours(db, sender);
  if (!config.embedded.records) return;
  const swept = await sweepDeadClaims(db, {
    silentMs: 0,
    now: clock.now(),
    self: sender,
    policy: config.unknownPolicy,
  });
  for (const one of swept) log.warn({ ...one, policy: config.unknownPolicy }, "took over the claims of a dead sender");
}

/** Regular checks use both servers; each watch finds out whether it is its own that is away. */
async function attempt(work: () => Promise<void>, { log, engines }: App): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isConnectionError(error)) for (const engine of Object.values(engines)) engine.suspect();
    else log.warn({ reason: reasonOf(error) }, "regular check failed and will be retried");
  }
}
