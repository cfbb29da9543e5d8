import type { Job, Queue, Worker } from "bullmq";
import { isConnectionError, type EngineWatch } from "../base/engine-watch.ts";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { QueueConnection } from "./connection.ts";
import { jobOptions, jobs, queueNames, type JobName, type Payload, type QueueName, type Wake } from "./contract.ts";

export type Queues = Record<QueueName, Queue>;

export interface QueueDeps {
  log: Log;
  /** Of the server that the queue is on. */
  watch: EngineWatch;
}

export function openQueues(connection: QueueConnection, deps: QueueDeps): Queues {
  const open = (name: QueueName): Queue =>
    connection.queue(name).on("error", (error) => note(deps, error, { queue: name }, "queue connection"));
  return {
    sources: open("sources"),
    editions: open("editions"),
    deliveries: open("deliveries"),
    readers: open("readers"),
  };
}

/**
 * Adds jobs to the queue. An unreachable queue is not an error for the caller: the database has the work, and the
 * recovery job finds it there.
 */
export function createWake(queues: Queues, deps: QueueDeps): Wake {
  return async (name, payload, later) => {
    try {
      await queues[jobs[name].queue].add(name, payload, jobOptions(name, payload, later));
    } catch (error) {
      note(deps, error, { job: name, ...idsOf(payload) }, "could not queue job, the recovery job will retry");
    }
  };
}

/** Connection errors go to the watch, which logs them once. Otherwise every attempt would be logged. */
function note({ log, watch }: QueueDeps, error: unknown, fields: object, message: string): void {
  if (isConnectionError(error)) watch.suspect();
  else log.warn({ ...fields, reason: reasonOf(error) }, message);
}

export type Processors = {
  [N in JobName]: (payload: Payload<N>, signal: AbortSignal) => Promise<unknown>;
};

/** One slice at a time uses all of a process's SMTP connections, with claims as large as possible. */
const concurrency: Record<QueueName, number> = { sources: 4, editions: 2, deliveries: 1, readers: 2 };

/** How often a job is started because of database outages. Each wait lasts as long as the outage. */
const mostBegun = 10;

export interface WorkerDeps extends QueueDeps {
  /** Of the database server. */
  records: EngineWatch;
  signal: AbortSignal;
}

/**
 * One worker per queue. Workers pause while the queue's server is unavailable, and jobs wait while the database is
 * unavailable.
 */
export function startWorkers(connection: QueueConnection, processors: Processors, deps: WorkerDeps): Worker[] {
  const workers = queueNames.map((name) => {
    const worker = connection.worker(name, (job) => process(job, processors, deps), {
      concurrency: concurrency[name],
      // After a failed attempt to fetch or return a job. BullMQ's default of 15 s is longer than a short outage.
      runRetryDelay: 1_000,
      // The process of a stalled job has died. Running a job again is always safe, and a stalled job blocks a new one
      // for the same slice, so it is detected soon.
      maxStalledCount: 1_000,
      lockDuration: 10_000,
      stalledInterval: 5_000,
    });
    worker.on("failed", (job, error) =>
      deps.log.error({ job: job?.name, ...idsOf(job?.data), reason: reasonOf(error) }, "job failed"),
    );
    worker.on("error", (error) => note(deps, error, { queue: name }, "worker connection"));
    return worker;
  });
  deps.watch.follow({
    away: () => workers.forEach((worker) => void worker.pause(true)),
    back: () => workers.forEach((worker) => worker.isPaused() && void worker.resume()),
  });
  return workers;
}

/** Nodes of the release before still queue jobs by these names during an upgrade. */
const formerNames = new Map<string, JobName>([["fan-out", "queue-slices"]]);

async function process(job: Job, processors: Processors, { records, signal }: WorkerDeps): Promise<unknown> {
  const name = formerNames.get(job.name) ?? (job.name as JobName);
  if (!Object.hasOwn(jobs, name)) throw new Refusal(422, "job_unknown", { name: job.name });
  const payload = jobs[name].payload.parse(job.data);
  const work = processors[name] as (payload: object, signal: AbortSignal) => Promise<unknown>;
  for (let begun = 1; ; begun += 1) {
    await records.back(signal);
    try {
      return await work(payload, signal);
    } catch (error) {
      if (!isConnectionError(error) || signal.aborted || begun === mostBegun) throw error;
      records.suspect();
    }
  }
}

/** The ids of a payload, with the names that all log lines use. */
function idsOf(payload: unknown): object {
  const { editionId, sourceId, slice } = (payload ?? {}) as Partial<Payload<"deliver-slice"> & Payload<"fetch-source">>;
  return {
    ...(editionId === undefined ? {} : { edition: editionId }),
    ...(slice === undefined ? {} : { slice }),
    ...(sourceId === undefined ? {} : { source: sourceId }),
  };
}
