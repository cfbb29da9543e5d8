import { hostname } from "node:os";
import type { Log } from "../base/log.ts";
import type { Db } from "../db/schema.ts";
import type { Wake } from "../queue/contract.ts";
import type { Queues } from "../queue/queues.ts";
import { schedulesAre, setSchedules } from "./schedulers.ts";
import { writeSendDays } from "../base/schedule-values.ts";
import { loadSchedule, settingsDiffer, type ScheduleChange, type ScheduleDefaults } from "./store.ts";

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
    log.warn({}, "the queue has lost its schedules, they are set again");
    await setSchedules(queues, schedule);
    await wake("recover", {});
  };
}

/** Warns when this node's settings name another schedule than the one in force; once, until either of them is another. */
export function compareSettings({ db, log, options }: Pick<KeepDeps, "db" | "log" | "options">): () => Promise<void> {
  let told = "";
  return async () => {
    const change = await settingsDiffer(db, options);
    const fields = change && {
      node: hostname(),
      settings: inWords(change, options),
      inForce: inWords(change, await loadSchedule(db)),
    };
    const key = JSON.stringify(fields);
    if (fields && key !== told) {
      log.warn(
        fields,
        "this node's settings name another schedule than the one in force, that of the node which started last: give all nodes the same",
      );
    }
    told = key;
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
