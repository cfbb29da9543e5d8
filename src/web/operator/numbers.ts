import type { FastifyInstance } from "fastify";
import type { App } from "../../app.ts";
import { kept } from "../../base/async.ts";
import { dateLocale } from "../../base/dates.ts";
import { createNumbers, type Numbers } from "../../alerts/numbers.ts";
import { readFields } from "../pages/fields.ts";
import { needs, type Show } from "./dashboard.ts";
import { englishOf, englishWording } from "../../texts/catalogue.ts";
import { complaintLines } from "../../outcomes/rates.ts";
import { percentInWords } from "../../texts/outcomes.ts";
import { number } from "./format.ts";

const { say } = englishWording();

const spans = [30, 90] as const;
const keptMs = 60_000;

/**
 * `/operator/numbers`: readers, deliveries by outcome and articles over 30 or 90 days, each as a table and a plot, cached
 * for a minute. The Today page loads them when it is scrolled into view.
 */
export function addNumbersPage(web: FastifyInstance, app: Pick<App, "config" | "clock" | "db">, show: Show): void {
  const numbers = kept(app.clock, keptMs, createNumbers(app, 90));

  web.get("/operator/numbers", needs.viewer, async (request, reply) => {
    const days = readFields(request.query).one("days") === "90" ? 90 : 30;
    const shown = lastDays(await numbers(), days);
    return show(
      request,
      reply,
      { name: "numbers", title: say("title.statistics"), place: "today" },
      {
        spans: spans.map((span) => ({ days: span, current: span === days })),
        plots: plotsOf(shown),
        locale: dateLocale(englishOf(app.config.language)),
        editions: shown.editions.length,
      },
    );
  });
}

function lastDays({ days, editions, reported }: Numbers, most: number): Numbers {
  const shown = days.slice(-most);
  return { reported, days: shown, editions: editions.filter(({ date }) => date >= shown[0]!.date) };
}

function plotsOf({ days, editions, reported }: Numbers): Plot[] {
  const rates = reported ? editions : [];
  return [
    plotOf(
      { id: "plot-readers", title: say("statistics.active"), shape: "line", of: say("statistics.date") },
      days.map(({ date, active }) => ({
        label: date,
        parts: [{ kind: "sent", name: say("statistics.series_active"), value: active }],
      })),
    ),
    plotOf(
      { id: "plot-left", title: say("statistics.left"), shape: "bars", of: say("statistics.date") },
      days.map(({ date, left, suppressed }) => ({
        label: date,
        parts: [
          { kind: "skipped", name: say("statistics.series_left"), value: left },
          { kind: "failed", name: say("statistics.series_suppressed"), value: suppressed },
        ],
      })),
    ),
    plotOf(
      { id: "plot-outcomes", title: say("statistics.outcomes"), shape: "bars", of: say("statistics.edition") },
      editions.map(({ name, outcomes }) => ({ label: name, parts: partsOf(outcomes) })),
    ),
    plotOf(
      { ...ofEditions, id: "plot-bounced", title: say("statistics.bounced"), percent: true },
      rates.map(({ name, rates: { bounceRate } }) => ({
        label: name,
        parts: [{ kind: "failed", name: say("statistics.series_bounced"), value: bounceRate ?? 0 }],
      })),
    ),
    plotOf(
      {
        ...ofEditions,
        id: "plot-complained",
        title: say("statistics.complained"),
        percent: true,
        lines: complaintLines,
      },
      rates.map(({ name, rates: { complaintRate } }) => ({
        label: name,
        parts: [{ kind: "unknown", name: say("statistics.series_complained"), value: complaintRate ?? 0 }],
      })),
    ),
    plotOf(
      { id: "plot-articles", title: say("statistics.articles"), shape: "bars", of: say("statistics.edition") },
      editions.map(({ name, articles }) => ({
        label: name,
        parts: [{ kind: "skipped", name: say("statistics.series_articles"), value: articles }],
      })),
    ),
  ];
}

function partsOf({ sent, rejected, expired, unknown, skipped }: Numbers["editions"][number]["outcomes"]) {
  return [
    { kind: "sent", name: say("chart.sent"), value: sent },
    { kind: "failed", name: say("chart.failed"), value: rejected + expired },
    { kind: "unknown", name: say("chart.unknown"), value: unknown },
    { kind: "skipped", name: say("chart.skipped"), value: skipped },
  ] as const;
}

const ofEditions = { shape: "bars", of: say("statistics.edition") } as const;

type Kind = "sent" | "failed" | "unknown" | "skipped";

interface Column {
  /** For example, a date. */
  label: string;
  /** From bottom to top. Every column has the same parts. */
  parts: readonly { kind: Kind; name: string; value: number }[];
}

/** A table of numbers over time, which the page's script also draws as a plot. */
interface Plot {
  id: string;
  title: string;
  /** A line for a running total, stacked bars for separate counts. */
  shape: "line" | "bars";
  /** Whether the values are shares, from 0 to 1. */
  percent?: boolean;
  /** Shares at which to draw a line. */
  lines?: readonly number[];
  /** The heading of the first column. */
  of: string;
  /** A text summary, also for screen readers. */
  summary: string;
  names: { kind: Kind; name: string }[];
  /** Newest first. */
  rows: { label: string; values: string[] }[];
}

/** @param columns oldest first; if empty, the plot has no rows and no summary */
export function plotOf(
  about: Pick<Plot, "id" | "title" | "shape" | "of" | "percent" | "lines">,
  columns: readonly Column[],
): Plot {
  const totals = columns.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const most = Math.max(0, ...totals);
  const write = about.percent ? percentInWords : number;
  const highest = { n: write(most), label: columns[totals.indexOf(most)]?.label ?? "" };
  return {
    ...about,
    summary: columns.length === 0 ? "" : say("statistics.highest", highest),
    names: columns[0]?.parts.map(({ kind, name }) => ({ kind, name })) ?? [],
    rows: columns.map(({ label, parts }) => ({ label, values: parts.map(({ value }) => write(value)) })).toReversed(),
  };
}
