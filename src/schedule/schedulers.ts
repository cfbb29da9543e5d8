import { setTimeout as wait } from "node:timers/promises";
import { ErrorCode, type Queue, type RepeatOptions } from "bullmq";
import { cronPattern, type Schedule } from "./calendar.ts";
import { type JobName, jobOptions, type Wake } from "../queue/contract.ts";
import type { Queues } from "../queue/queues.ts";
import { hostname } from "node:os";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import { writeSendDays } from "../base/schedule-values.ts";
import { loadSchedule, type ScheduleChange, type ScheduleDefaults, settingsDiffer } from "./store.ts";

const minuteMs = 60_000;
/** When people are awake, and most editions have been sent. */
const askAgainPattern = "0 10 * * *";

/**
 * What BullMQ's PostgreSQL backend refuses some of the nodes with that set a scheduler at the same moment, as those do that
 * start together: the job is there already, or a deadlock (SQLSTATE 40P01). A little later there is nothing in the way.
 */
const inEachOthersWay = new Set<unknown>([ErrorCode.SchedulerJobIdCollision, ErrorCode.SchedulerJobSlotsBusy, "40P01"]);
const mostTries = 8;
const longestPauseMs = 50;

/**
 * Sets BullMQ's job schedulers: the wake-up at the publication's hour in its own zone, `recover` each minute, and
 * `retention` and `ask-again` once a day. Setting them again with the same values changes nothing, so every node does so at start.
 */
export async function setSchedules({ editions }: Pick<Queues, "editions">, schedule: Schedule): Promise<void> {
  await setScheduler(editions, "open-edition", { pattern: cronPattern(schedule), tz: schedule.timezone });
  await setScheduler(editions, "recover", { every: minuteMs });
  await setScheduler(editions, "retention", { every: 24 * 60 * minuteMs });
  await setScheduler(editions, "ask-again", { pattern: askAgainPattern, tz: schedule.timezone });
}

async function setScheduler(queue: Queue, name: JobName, repeat: RepeatOptions): Promise<void> {
  const { removeOnComplete, removeOnFail } = jobOptions(name, {});
  // Otherwise every job of a schedule would belong to the trace in which the schedule was set.
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

export interface KeepDeps {
  db: Db;
  log: Log;
  queues: Queues;
  wake: Wake;
  options: ScheduleDefaults;
}

/**
 * A node's regular look at the schedule. A wiped queue has lost its schedulers too, and one that was away has missed a
 * change; they are put right, and whatever the jobs were for is looked for.
 */
export function keepSchedules(deps: KeepDeps): () => Promise<void> {
  const { db, log, queues, wake } = deps;
  const compare = compareSettings(deps);
  return async () => {
    const schedule = await loadSchedule(db);
    await compare();
    if (await schedulesAre(queues, schedule)) return;
    log.warn({}, "schedules were missing from the queue and have been recreated");
    await setSchedules(queues, schedule);
    await wake("recover", {});
  };
}

/** Warns when this node's settings name another schedule than the one in force; once, until either of them is another. */
export function compareSettings({ db, log, options }: Pick<KeepDeps, "db" | "log" | "options">): () => Promise<void> {
  let reported = "";
  return async () => {
    const change = await settingsDiffer(db, options);
    const fields = change && {
      node: hostname(),
      settings: inWords(change, options),
      inForce: inWords(change, await loadSchedule(db)),
    };
    const key = JSON.stringify(fields);
    if (fields && key !== reported) {
      log.warn(
        fields,
        "the schedule in this node's settings is ignored, because the node that started last uses a different one. Give all nodes the same settings",
      );
    }
    reported = key;
  };
}

/** Of a schedule, what the change is about. */
function inWords(change: ScheduleChange, { timezone, sendAt, sendDays }: ScheduleDefaults): string {
  return [
    change.timezone === undefined ? [] : `TIMEZONE=${timezone}`,
    change.sendAt === undefined ? [] : `SEND_AT=${sendAt}`,
    change.sendDays === undefined ? [] : `SEND_DAYS=${writeSendDays(sendDays)}`,
  ]
    .flat()
    .join(" ");
}
