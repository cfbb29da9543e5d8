import { Temporal } from "temporal-polyfill";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { createTallies } from "../deliveries/tally.ts";
import { localDate } from "../schedule/calendar.ts";
import type { Balance } from "../editions/state.ts";
import { listEditions } from "../editions/store.ts";
import { editionName } from "../base/edition-name.ts";
import { loadSchedule } from "../schedule/store.ts";
import { dailyGrowth } from "../subscribers/growth.ts";
import { countByStatus } from "../subscribers/store.ts";

/** Readers and editions by day, oldest first. Dates are in the publication's time zone. */
export interface Numbers {
  /** Every date up to today, with the active readers at its end and those who left on it. */
  days: { date: string; active: number; left: number }[];
  /** Editions that were frozen on these dates. */
  editions: { name: string; date: string; articles: number; outcomes: Balance }[];
}

interface Deps {
  db: Db;
  clock: Clock;
}

/** Upper bound for the average number of editions per day. */
const editionsPerDay = 3;

/** @returns a function that reads the last `days` days and caches the counts of closed editions */
export function createNumbers({ db, clock }: Deps, days: number): () => Promise<Numbers> {
  const tallies = createTallies(db);
  return async () => {
    const { timezone } = await loadSchedule(db);
    const first = Temporal.PlainDate.from(localDate(clock.now(), timezone)).subtract({ days: days - 1 });
    const dates = Array.from({ length: days }, (_, i) => first.add({ days: i }).toString());
    const [growth, counts, listed] = await Promise.all([
      dailyGrowth(db, new Date(first.toZonedDateTime(timezone).epochMilliseconds), timezone),
      countByStatus(db),
      listEditions(db, editionsPerDay * days),
    ]);
    const frozen = listed.filter(({ date, frozen_at }) => date >= dates[0]! && frozen_at !== null).toReversed();
    const outcomes = await tallies(frozen);
    return {
      days: readersBackwards(dates, new Map(growth.map((one) => [one.date, one])), counts.active),
      editions: frozen.map((edition) => ({
        name: editionName(edition),
        date: edition.date,
        articles: edition.articles,
        outcomes: outcomes.get(edition.id)!,
      })),
    };
  };
}

/** Derives the number at the end of each date from the present number. */
function readersBackwards(
  dates: readonly string[],
  changes: ReadonlyMap<string, { gained: number; lost: number }>,
  now: number,
): Numbers["days"] {
  let active = now;
  const days = dates.toReversed().map((date) => {
    const { gained, lost } = changes.get(date) ?? { gained: 0, lost: 0 };
    const day = { date, active: Math.max(0, active), left: lost };
    active -= gained - lost;
    return day;
  });
  return days.toReversed();
}
