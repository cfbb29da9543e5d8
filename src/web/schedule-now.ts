import type { App } from "../app.ts";
import { loadSchedule } from "../schedule/store.ts";
import { shared } from "../base/share-answers.ts";

/** The schedule as it is; pages that ask at the same time share the answer. */
export type ScheduleNow = () => ReturnType<typeof loadSchedule>;

export function openScheduleNow({ db }: Pick<App, "db">): ScheduleNow {
  return shared(() => loadSchedule(db));
}
