import { Temporal } from "temporal-polyfill";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { createTallies } from "../deliveries/store.ts";
import { localDate } from "../schedule/calendar.ts";
import type { Balance } from "../ledger/balance.ts";
import { ratesOf, type Rates } from "../outcomes/rates.ts";
import { listReportSources } from "../outcomes/report-sources.ts";
import { countOutcomesOf } from "../outcomes/store.ts";
import { listEditions } from "../editions/store.ts";
import { editionName } from "../base/edition-name.ts";
import { loadSchedule } from "../schedule/store.ts";
import { countByStatus, dailyGrowth, type DayOfReaders } from "../subscribers/store.ts";

/** Readers and editions by day, oldest first. Dates are in the publication's time zone. */
export interface Numbers {
  /** Every date up to today, with the active readers at its end. */
  days: (DayOfReaders & { active: number })[];
  /** Editions that were frozen on these dates. */
  editions: { name: string; date: string; articles: number; outcomes: Balance; rates: Rates }[];
  /** Whether any bounce or complaint was ever reported. */
  reported: boolean;
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
    const [changes, counts, listed] = await Promise.all([
      dailyGrowth(db, new Date(first.toZonedDateTime(timezone).epochMilliseconds), timezone),
      countByStatus(db),
      listEditions(db, editionsPerDay * days),
    ]);
    const frozen = listed.filter(({ date, frozen_at }) => date >= dates[0]! && frozen_at !== null).toReversed();
    const [outcomes, later, sources] = await Promise.all([
      tallies(frozen),
      countOutcomesOf(
        db,
        frozen.map(({ id }) => id),
      ),
      listReportSources(db),
    ]);
    const reported = sources.length > 0;
    return {
      days: readersBackwards(dates, new Map(changes.map((one) => [one.date, one])), counts.active),
      editions: frozen.map((edition) => ({
        name: editionName(edition),
        date: edition.date,
        articles: edition.articles,
        outcomes: outcomes.get(edition.id)!,
        rates: ratesOf(
          { ...later.get(edition.id)!, emails: outcomes.get(edition.id)!.sent },
          { provider: null, reported },
        ),
      })),
      reported,
    };
  };
}

export interface Growth extends Omit<DayOfReaders, "date"> {
  /** The last `days` dates, with today. */
  days: number;
}

/** Readers who joined, left or were suppressed on the last dates, by the days of the statistics. */
export async function growth({ db, clock }: Deps, timezone: string, spans = [1, 7, 30]): Promise<Growth[]> {
  const today = Temporal.PlainDate.from(localDate(clock.now(), timezone));
  const firstOf = (days: number): Temporal.PlainDate => today.subtract({ days: days - 1 });
  const from = firstOf(Math.max(...spans)).toZonedDateTime(timezone);
  const changes = await dailyGrowth(db, new Date(from.epochMilliseconds), timezone);
  return spans.map((days) => {
    const within = changes.filter(({ date }) => date >= firstOf(days).toString());
    const sum = (of: "gained" | "left" | "suppressed"): number => within.reduce((total, one) => total + one[of], 0);
    return { days, gained: sum("gained"), left: sum("left"), suppressed: sum("suppressed") };
  });
}

/** Derives the number at the end of each date from the present number. */
function readersBackwards(
  dates: readonly string[],
  changes: ReadonlyMap<string, DayOfReaders>,
  now: number,
): Numbers["days"] {
  let active = now;
  const days = dates.toReversed().map((date) => {
    const change = changes.get(date) ?? { date, gained: 0, left: 0, suppressed: 0 };
    const day = { ...change, active: Math.max(0, active) };
    active -= change.gained - change.left - change.suppressed;
    return day;
  });
  return days.toReversed();
}
