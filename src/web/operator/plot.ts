import { number } from "./format.ts";

type Kind = "sent" | "failed" | "unknown" | "skipped";

interface Column {
  /** For example, a date. */
  label: string;
  /** From bottom to top. Every column has the same parts. */
  parts: readonly { kind: Kind; name: string; value: number }[];
}

/** A table of numbers over time, which the page's script also draws as a plot. */
export interface Plot {
  id: string;
  title: string;
  /** A line for a running total, stacked bars for separate counts. */
  shape: "line" | "bars";
  /** The heading of the first column. */
  of: "Date" | "Edition";
  /** A text summary, also for screen readers. */
  words: string;
  names: { kind: Kind; name: string }[];
  /** Newest first. */
  rows: { label: string; values: string[] }[];
}

/** @param columns oldest first; if empty, the plot has no rows and no summary */
export function plotOf(about: Pick<Plot, "id" | "title" | "shape" | "of">, columns: readonly Column[]): Plot {
  const totals = columns.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const most = Math.max(0, ...totals);
  return {
    ...about,
    words: columns.length === 0 ? "" : `Highest value: ${number(most)} (${columns[totals.indexOf(most)]!.label}).`,
    names: columns[0]?.parts.map(({ kind, name }) => ({ kind, name })) ?? [],
    rows: columns.map(({ label, parts }) => ({ label, values: parts.map(({ value }) => number(value)) })).toReversed(),
  };
}
