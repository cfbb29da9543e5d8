import { cronPattern, type Schedule } from "../editions/calendar.ts";
import { jobOptions, type JobName } from "./contract.ts";
import type { Queues } from "./queues.ts";

const minuteMs = 60_000;

/**
 * Sets BullMQ's job schedulers: the wake-up at the publication's hour in its own zone, `recover` each minute, and
 * `retention` once a day. Setting them again with the same values changes nothing, so every node does so at start.
 */
export async function setSchedules(queues: Queues, schedule: Schedule): Promise<void> {
  const editions = queues.editions;
  const template = (name: JobName) => {
    const { removeOnComplete, removeOnFail } = jobOptions(name, {});
    // Or whatever a schedule ever starts would belong to the trace of whoever set it.
    const telemetry = { omitContext: true };
    return { name, data: {}, opts: { removeOnComplete: removeOnComplete!, removeOnFail: removeOnFail!, telemetry } };
  };
  await editions.upsertJobScheduler(
    "open-edition",
    { pattern: cronPattern(schedule), tz: schedule.timezone },
    template("open-edition"),
  );
  await editions.upsertJobScheduler("recover", { every: minuteMs }, template("recover"));
  await editions.upsertJobScheduler("retention", { every: 24 * 60 * minuteMs }, template("retention"));
}

/** Whether the queue has its schedulers, and the wake-up is that of this schedule. */
export async function schedulesAre({ editions }: Queues, schedule: Schedule): Promise<boolean> {
  const [wakeUp, recover] = await Promise.all([
    editions.getJobScheduler("open-edition"),
    editions.getJobScheduler("recover"),
  ]);
  return recover != null && wakeUp?.pattern === cronPattern(schedule) && wakeUp.tz === schedule.timezone;
}
