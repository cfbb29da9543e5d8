import type { Job, Queue, Worker } from "bullmq";
import { Refusal, reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { QueueConnection } from "./connection.ts";
import { jobOptions, jobs, queueNames, type JobName, type Payload, type QueueName, type Wake } from "./contract.ts";

export type Queues = Record<QueueName, Queue>;

export function openQueues(connection: QueueConnection, log: Log): Queues {
  const open = (name: QueueName): Queue =>
    connection
      .queue(name)
      .on("error", (error) => log.warn({ queue: name, reason: reasonOf(error) }, "queue connection"));
  return {
    sources: open("sources"),
    editions: open("editions"),
    deliveries: open("deliveries"),
    readers: open("readers"),
  };
}

/**
 * Asks for a look through the queue. A queue that cannot be reached is no error for the caller: what it did is in the
 * database, and `recover` finds it there.
 */
export function createWake(queues: Queues, log: Log): Wake {
  return async (name, payload, later) => {
    try {
      await queues[jobs[name].queue].add(name, payload, jobOptions(name, payload, later));
    } catch (error) {
      log.warn(
        { job: name, ...idsOf(payload), reason: reasonOf(error) },
        "queue could not be reached, recover will see to it",
      );
    }
  };
}

export type Processors = {
  [N in JobName]: (payload: Payload<N>, signal: AbortSignal) => Promise<unknown>;
};

/** One slice at a time fills all of a process's connections, and its claims are as large as they can be. */
const concurrency: Record<QueueName, number> = { sources: 4, editions: 2, deliveries: 1, readers: 2 };

/** One worker per queue, each handing its jobs to their processors. */
export function startWorkers(
  connection: QueueConnection,
  processors: Processors,
  deps: { log: Log; signal: AbortSignal },
): Worker[] {
  return queueNames.map((name) => {
    const worker = connection.worker(name, (job) => process(job, processors, deps.signal), {
      concurrency: concurrency[name],
      // A stalled job is one whose process died. Looking again is always safe, so it is looked for soon: until then it
      // stands in the way of a new job for the same slice.
      maxStalledCount: 1_000,
      lockDuration: 10_000,
      stalledInterval: 5_000,
    });
    worker.on("failed", (job, error) =>
      deps.log.error({ job: job?.name, ...idsOf(job?.data), reason: reasonOf(error) }, "job failed"),
    );
    worker.on("error", (error) => deps.log.warn({ queue: name, reason: reasonOf(error) }, "worker connection"));
    return worker;
  });
}

async function process(job: Job, processors: Processors, signal: AbortSignal): Promise<unknown> {
  const name = job.name as JobName;
  if (!Object.hasOwn(jobs, name)) throw new Refusal(422, `This release knows no job ${JSON.stringify(job.name)}.`);
  const payload = jobs[name].payload.parse(job.data);
  return (processors[name] as (payload: object, signal: AbortSignal) => Promise<unknown>)(payload, signal);
}

/** The ids of a payload, by the names that all other log lines have for them. */
function idsOf(payload: unknown): object {
  const { editionId, sourceId, slice } = (payload ?? {}) as Partial<Payload<"deliver-slice"> & Payload<"fetch-source">>;
  return {
    ...(editionId === undefined ? {} : { edition: editionId }),
    ...(slice === undefined ? {} : { slice }),
    ...(sourceId === undefined ? {} : { source: sourceId }),
  };
}
