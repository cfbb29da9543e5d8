import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { kept } from "../../base/share-answers.ts";
import { createNumbers, type Numbers } from "../../operations/numbers.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./desk.ts";
import { plotOf, type Plot } from "./plot.ts";

const spans = [30, 90] as const;
const keptMs = 60_000;

/**
 * `/operator/numbers`: readers, deliveries by outcome and articles over 30 or 90 days, each as a table and a plot, cached
 * for a minute. The Today page loads them when it is scrolled into view.
 */
export function addNumbersPage(web: FastifyInstance, app: App, show: Show): void {
  const numbers = kept(app.clock, keptMs, createNumbers(app, 90));

  web.get("/operator/numbers", needs.viewer, async (request, reply) => {
    const days = readFields(request.query).one("days") === "90" ? 90 : 30;
    return show(
      request,
      reply,
      { name: "numbers", title: "Statistics", place: "today" },
      {
        spans: spans.map((span) => ({ days: span, current: span === days })),
        plots: plotsOf(lastDays(await numbers(), days)),
      },
    );
  });
}

function lastDays({ days, editions }: Numbers, most: number): Numbers {
  const shown = days.slice(-most);
  return { days: shown, editions: editions.filter(({ date }) => date >= shown[0]!.date) };
}

function plotsOf({ days, editions }: Numbers): Plot[] {
  return [
    plotOf(
      { id: "plot-readers", title: "Active readers", shape: "line", of: "Date" },
      days.map(({ date, active }) => ({ label: date, parts: [{ kind: "sent", name: "Active", value: active }] })),
    ),
    plotOf(
      { id: "plot-left", title: "Readers who left", shape: "bars", of: "Date" },
      days.map(({ date, left }) => ({ label: date, parts: [{ kind: "failed", name: "Left", value: left }] })),
    ),
    plotOf(
      { id: "plot-outcomes", title: "Deliveries by outcome", shape: "bars", of: "Edition" },
      editions.map(({ name, outcomes }) => ({ label: name, parts: partsOf(outcomes) })),
    ),
    plotOf(
      { id: "plot-articles", title: "Articles per edition", shape: "bars", of: "Edition" },
      editions.map(({ name, articles }) => ({
        label: name,
        parts: [{ kind: "skipped", name: "Articles", value: articles }],
      })),
    ),
  ];
}

function partsOf({ sent, rejected, expired, unknown, skipped }: Numbers["editions"][number]["outcomes"]) {
  return [
    { kind: "sent", name: "Sent", value: sent },
    { kind: "failed", name: "Rejected or expired", value: rejected + expired },
    { kind: "unknown", name: "Unknown", value: unknown },
    { kind: "skipped", name: "Skipped", value: skipped },
  ] as const;
}
