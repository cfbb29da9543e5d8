import { number } from "./format.ts";

type Kind = "sent" | "failed" | "unknown" | "skipped";

interface Column {
  /** Such as a date. */
  label: string;
  /** From the bottom up; the same ones in each column. */
  parts: readonly { kind: Kind; name: string; value: number }[];
}

/** A table of numbers over time, from which the page's script draws a plot. */
export interface Plot {
  id: string;
  title: string;
  /** A line for what goes up and down; bars, one part on top of the other, for what is counted anew each time. */
  shape: "line" | "bars";
  /** What a row stands for. */
  of: "Date" | "Edition";
  /** In one sentence, for whoever does not see it. */
  words: string;
  names: { kind: Kind; name: string }[];
  /** The newest first. */
  rows: { label: string; values: string[] }[];
}

/** @param columns the oldest first; without any the plot has no rows and no words */
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
