import { number } from "./words.ts";

type Kind = "sent" | "failed" | "unknown" | "skipped";

interface Bar {
  /** Of the column, such as a date. */
  label: string;
  /** From the bottom up. */
  parts: readonly { kind: Kind; name: string; value: number }[];
}

/** A plot of columns, drawn by the server, with its table. */
export interface Plot {
  title: string;
  id: string;
  /** In one sentence, for whoever does not see it. */
  words: string;
  width: number;
  rects: { kind: Kind; x: number; y: string; height: string; tip: string }[];
  most: string;
  first: string;
  last: string;
  names: string[];
  rows: { label: string; values: string[] }[];
}

const step = 10;
const gap = 2;
const tall = 100;

/** Columns side by side, the highest as high as the plot. The plot is `tall` units high, each column `step` wide. */
export function plotOf(id: string, title: string, bars: readonly Bar[]): Plot {
  const totals = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const most = Math.max(1, ...totals);
  const rects = bars.flatMap(({ label, parts }, i) => {
    let below = 0;
    return parts
      .filter(({ value }) => value > 0)
      .map(({ kind, name, value }) => {
        const height = (value / most) * tall;
        below += height;
        return {
          kind,
          x: i * step,
          y: (tall - below).toFixed(2),
          height: height.toFixed(2),
          tip: `${label}: ${number(value)} ${name}`,
        };
      });
  });
  const highest = bars[totals.indexOf(Math.max(...totals))];
  return {
    id,
    title,
    words: highest ? `At most ${number(Math.max(...totals))}, on ${highest.label}.` : "Nothing yet.",
    width: Math.max(step, bars.length * step - gap),
    rects,
    most: number(Math.max(0, ...totals)),
    first: bars[0]?.label ?? "",
    last: bars.at(-1)?.label ?? "",
    names: bars[0]?.parts.map(({ name }) => name) ?? [],
    rows: bars.map(({ label, parts }) => ({ label, values: parts.map(({ value }) => number(value)) })).toReversed(),
  };
}
