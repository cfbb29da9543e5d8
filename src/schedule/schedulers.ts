import { setTimeout as wait } from "node:timers/promises";
import { ErrorCode, type Queue, type RepeatOptions } from "bullmq";
import { cronPattern, type Schedule } from "./calendar.ts";
import { jobOptions, type JobName } from "../queue/contract.ts";
import type { Queues } from "../queue/queues.ts";

const minuteMs = 60_000;

/**
 * What BullMQ's PostgreSQL backend refuses some of the nodes with that set a scheduler at the same moment, as those do that
 * start together: the job is there already, or a deadlock (SQLSTATE 40P01). A little later there is nothing in the way.
 */
const inEachOthersWay = new Set<unknown>([ErrorCode.SchedulerJobIdCollision, ErrorCode.SchedulerJobSlotsBusy, "40P01"]);
const mostTries = 8;
const longestPauseMs = 50;

/**
 * Sets BullMQ's job schedulers: the wake-up at the publication's hour in its own zone, `recover` each minute, and
 * `retention` once a day. Setting them again with the same values changes nothing, so every node does so at start.
 */
export async function setSchedules({ editions }: Pick<Queues, "editions">, schedule: Schedule): Promise<void> {
  await setScheduler(editions, "open-edition", { pattern: cronPattern(schedule), tz: schedule.timezone });
  await setScheduler(editions, "recover", { every: minuteMs });
  await setScheduler(editions, "retention", { every: 24 * 60 * minuteMs });
}

async function setScheduler(queue: Queue, name: JobName, repeat: RepeatOptions): Promise<void> {
  const { removeOnComplete, removeOnFail } = jobOptions(name, {});
  // Or whatever a schedule ever starts would belong to the trace of whoever set it.
  const telemetry = { omitContext: true };
  const template = {
    name,
    data: {},
    opts: { removeOnComplete: removeOnComplete!, removeOnFail: removeOnFail!, telemetry },
  };
  for (let tries = 1; ; tries += 1) {
    try {
      await queue.upsertJobScheduler(name, repeat, template);
      return;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (!inEachOthersWay.has(code) || tries === mostTries) throw error;
      await wait(Math.random() * tries * longestPauseMs);
    }
  }
}

/** Whether the queue has its schedulers, and the wake-up is that of this schedule. */
export async function schedulesAre({ editions }: Pick<Queues, "editions">, schedule: Schedule): Promise<boolean> {
  const [wakeUp, recover] = await Promise.all([
    editions.getJobScheduler("open-edition"),
    editions.getJobScheduler("recover"),
  ]);
  return recover != null && wakeUp?.pattern === cronPattern(schedule) && wakeUp.tz === schedule.timezone;
}
