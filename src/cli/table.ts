import width from "string-width";

export interface Column {
  title: string;
  /** Align right, for numbers. */
  right?: boolean;
}

const gap = "  ";

/**
 * A table whose columns are as wide as their widest cell. In a terminal of `columns` cells the widest ones give way, and what
 * does not fit ends in an ellipsis. Control characters are removed, because they could control the terminal.
 */
export function table(titles: readonly Column[], rows: readonly (readonly string[])[], columns: number | null): string {
  const lines = [titles.map(({ title }) => title), ...rows.map((row) => row.map(harmless))];
  const widest = titles.map((_, index) => Math.max(...lines.map((line) => width(line[index] ?? ""))));
  const widths = columns === null ? widest : fit(widest, columns - gap.length * (titles.length - 1));
  return lines
    .map((line) =>
      titles.map(({ right }, index) => pad(cut(line[index] ?? "", widths[index]!), widths[index]!, right ?? false)),
    )
    .map((line) => cut(line.join(gap).trimEnd(), columns ?? Infinity))
    .join("\n");
}

/** The widths with an upper limit that makes their sum fit into `room`, if any does. */
function fit(widths: readonly number[], room: number): number[] {
  let most = Math.max(...widths);
  const limited = (): number[] => widths.map((one) => Math.min(one, most));
  while (most > 1 && limited().reduce((sum, one) => sum + one, 0) > room) most -= 1;
  return limited();
}

/** A line for each name and value, with the values aligned. Pairs with null are omitted. */
export function facts(pairs: readonly (readonly [string, string | null])[]): string {
  const shown = pairs.filter(([, value]) => value !== null);
  const widest = Math.max(0, ...shown.map(([name]) => width(name)));
  return shown.map(([name, value]) => `${pad(name, widest, false)}${gap}${harmless(value!)}`).join("\n");
}

/** The text on one line without control characters and bidirectional overrides. */
export function harmless(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "");
}

function pad(text: string, cells: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, cells - width(text)));
  return right ? space + text : text + space;
}

const graphemes = new Intl.Segmenter();

function cut(text: string, cells: number): string {
  if (width(text) <= cells) return text;
  let kept = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += width(segment);
    if (used > cells - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
