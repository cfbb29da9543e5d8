import { formatDate } from "../base/dates.ts";
import width from "string-width";
import { oneLine } from "../base/text.ts";
import { breakable, isolatesToHtml } from "./scripts.ts";

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** A text of several lines, such as a postal address, as one line with commas. */
export function commaLine(text: string): string {
  return text
    .split(/[\n\r\u0085\u2028\u2029]+/)
    .map((line) => oneLine(line).replace(/,$/, ""))
    .filter((line) => line !== "")
    .join(", ");
}

/** The paragraphs of a text, each as one clean line. A line break starts a new paragraph. */
export function paragraphs(text: string): string[] {
  return text
    .split(/[\n\r\u0085\u2028\u2029]+/)
    .map(oneLine)
    .filter((line) => line !== "");
}

/**
 * At most `limit` UTF-16 units of a one-line text with an ellipsis, cut after a word that ends in the last two fifths,
 * otherwise between graphemes.
 */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const room = text.slice(0, limit);
  const space = room.lastIndexOf(" ");
  const kept = space >= limit * 0.6 ? room.slice(0, space) : wholeGraphemes(text, limit - 1);
  return `${kept.replace(/(?<![\s,;:.\u2026-])[\s,;:.\u2026-]+$/u, "")}\u2026`;
}

function wholeGraphemes(text: string, limit: number): string {
  let end = 0;
  for (const { index, segment } of graphemes.segment(text)) {
    if (index + segment.length > limit) break;
    end = index + segment.length;
  }
  // One grapheme can be longer than the limit (stacked marks); then cut inside it, but never inside a code point.
  return end > 0 ? text.slice(0, end) : text.slice(0, limit).replace(/[\ud800-\udbff]$/, "");
}

/** Columns of the text part of an email. */
export const textWidth = 72;

/** All characters have one column. */
const narrow = /^[ -~\u00a0-\u02ff]*$/;

/**
 * Wraps the text into lines of at most `columns`: at spaces, and between Chinese or Japanese characters, which have two
 * columns. Longer words are not broken. `indent` goes before every line but the first, and has no room in
 * `columns`.
 */
export function wrap(text: string, columns: number, indent = ""): string {
  const widthOf = narrow.test(text) ? (part: string): number => part.length : width;
  const lines: string[] = [];
  let line = "";
  let used = 0;
  const place = (part: string, space: string): void => {
    const more = widthOf(part);
    if (line !== "" && used + space.length + more > columns) {
      lines.push(line);
      line = indent + part;
      used = more;
    } else {
      line += space + part;
      used += space.length + more;
    }
  };
  for (const word of text.split(" ")) {
    for (const [i, part] of breakable(word).entries()) place(part, i > 0 || line === "" ? "" : " ");
  }
  return [...lines, line].join("\n");
}

/** Maximum UTF-16 units of a URL. Longer ones are not parsed: an international host name takes quadratic time. */
export const longestUrl = 2048;

/** The URL in its normalised ASCII form if it is http(s), has no user and is not too long; otherwise null. */
export function httpUrl(text: string): string | null {
  const line = oneLine(text);
  if (line.length > longestUrl || !URL.canParse(line)) return null;
  const url = new URL(line);
  if (!/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return null;
  return url.href.length > longestUrl ? null : url.href;
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Safe in HTML text and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (char) => entities[char] ?? char) : text;
}

/** Escaped like `escapeHtml`, with isolated names in an element of their own. */
export function showHtml(text: string): string {
  return isolatesToHtml(escapeHtml(text));
}

/** A local date (`YYYY-MM-DD`) written out in a language, such as "Thursday, 5 December 2013". No zone is involved. */
export function longDate(date: string, language: string): string {
  return formatDate(new Date(`${date}T00:00:00Z`), language, { dateStyle: "full", timeZone: "UTC" });
}
