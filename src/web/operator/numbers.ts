import type { FastifyInstance } from "fastify";
import { Temporal } from "temporal-polyfill";
import type { App } from "../../app.ts";
import { createTallies, type Tally } from "../../deliveries/tally.ts";
import { localDate } from "../../editions/calendar.ts";
import { editionName, listEditions } from "../../editions/store.ts";
import { loadSchedule } from "../../schedule/store.ts";
import { dailyGrowth } from "../../subscribers/growth.ts";
import { countByStatus } from "../../subscribers/store.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./desk.ts";
import { plotOf } from "./plot.ts";

const spans = [30, 90] as const;

/** `/operator/numbers`: readers, deliveries by outcome, and articles, over 30 or 90 days, each with its table. */
export function addNumbersPage(web: FastifyInstance, app: App, show: Show): void {
  const { db, clock, options } = app;
  const tallies = createTallies(db);

  web.get("/operator/numbers", needs.viewer, async (request, reply) => {
    const days = readFields(request.query).one("days") === "90" ? 90 : 30;
    const { timezone } = await loadSchedule(db, options);
    const today = Temporal.PlainDate.from(localDate(clock.now(), timezone));
    const dates = Array.from({ length: days }, (_, i) => today.subtract({ days: days - 1 - i }).toString());
    const from = new Date(today.subtract({ days: days - 1 }).toZonedDateTime(timezone).epochMilliseconds);
    const [growth, counts, listed] = await Promise.all([
      dailyGrowth(db, from, timezone),
      countByStatus(db),
      listEditions(db, 3 * days),
    ]);
    const editions = listed.filter(({ date, frozen_at }) => date >= dates[0]! && frozen_at !== null).toReversed();
    const outcomes = await tallies(editions);
    const byDate = new Map(growth.map((one) => [one.date, one]));
    return show(
      request,
      reply,
      { name: "numbers", title: "Numbers", place: "today" },
      {
        days,
        spans: spans.map((span) => ({ days: span, current: span === days })),
        plots: [
          plotOf("readers", "Active readers", readersBackwards(dates, byDate, counts.active)),
          plotOf(
            "lost",
            "Readers who left",
            dates.map((date) => bar(date, "failed", "left", byDate.get(date)?.lost ?? 0)),
          ),
          plotOf(
            "outcomes",
            "Deliveries by outcome",
            editions.map((edition) => ({
              label: editionName(edition),
              parts: partsOf(outcomes.get(edition.id) ?? {}),
            })),
          ),
          plotOf(
            "articles",
            "Articles per edition",
            editions.map((edition) => bar(editionName(edition), "skipped", "articles", edition.articles)),
          ),
        ],
      },
    );
  });
}

/** How many there were at the end of each date, from how many there are now. */
function readersBackwards(
  dates: readonly string[],
  changes: ReadonlyMap<string, { gained: number; lost: number }>,
  now: number,
) {
  let active = now;
  const bars = dates.toReversed().map((date) => {
    const one = bar(date, "sent", "active", Math.max(0, active));
    const change = changes.get(date);
    active -= (change?.gained ?? 0) - (change?.lost ?? 0);
    return one;
  });
  return bars.toReversed();
}

function bar(label: string, kind: "sent" | "failed" | "skipped", name: string, value: number) {
  return { label, parts: [{ kind, name, value }] };
}

function partsOf(tally: Tally) {
  return [
    { kind: "sent", name: "sent", value: tally.sent ?? 0 },
    { kind: "failed", name: "rejected or expired", value: (tally.rejected ?? 0) + (tally.expired ?? 0) },
    { kind: "unknown", name: "unknown", value: tally.unknown ?? 0 },
    { kind: "skipped", name: "skipped", value: tally.skipped ?? 0 },
  ] as const;
}
