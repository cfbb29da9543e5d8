export interface Column {
  title: string;
  /** Align right, for numbers. */
  right?: boolean;
}

const gap = "  ";

/**
 * A table whose columns are as wide as their widest cell. With `width`, longer lines end in an ellipsis. Control characters are
 * removed, because they could control the terminal.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | null): string {
  const lines = [columns.map((column) => column.title), ...rows.map((row) => row.map(harmless))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => cells(line[index] ?? ""))));
  return lines
    .map((line) => columns.map((column, index) => pad(line[index] ?? "", widths[index]!, column.right ?? false)))
    .map((line) => cut(line.join(gap).trimEnd(), width))
    .join("\n");
}

/** A line for each name and value, with the values aligned. Pairs with null are omitted. */
export function facts(pairs: readonly (readonly [string, string | null])[]): string {
  const shown = pairs.filter(([, value]) => value !== null);
  const width = Math.max(0, ...shown.map(([name]) => cells(name)));
  return shown.map(([name, value]) => `${pad(name, width, false)}${gap}${harmless(value!)}`).join("\n");
}

/** The text on one line without control characters and bidirectional overrides. */
export function harmless(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "");
}

/** How many cells of a terminal a text takes: two for East Asian wide characters and emoji, none for combining marks. */
export function cells(text: string): number {
  let count = 0;
  for (const character of text) count += cellsOf(character);
  return count;
}

function cellsOf(character: string): number {
  if (/[\p{M}\p{Cf}]/u.test(character)) return 0;
  const wide =
    /[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
  return wide.test(character) ? 2 : 1;
}

function pad(text: string, width: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, width - cells(text)));
  return right ? space + text : text + space;
}

function cut(line: string, width: number | null): string {
  if (width === null || cells(line) <= width) return line;
  let kept = "";
  let used = 0;
  for (const character of line) {
    used += cellsOf(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
