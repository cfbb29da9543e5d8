const lineBreaksAndTabs = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/** C0 and C1 controls, BOM, and the bidi embeddings, overrides and isolates that can reorder what surrounds them. */
// oxlint-disable-next-line no-control-regex -- removing control characters is the point
const unwanted = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Any text as one line of well-formed Unicode: line breaks become spaces, controls and bidi overrides are removed, lone
 * surrogates become U+FFFD. Left-to-right marks and joiners stay, because real words need them.
 */
export function oneLine(text: string): string {
  return text
    .replace(lineBreaksAndTabs, " ")
    .replace(unwanted, "")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(/ {2,}/g, " ")
    .trim();
}

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

/** Wraps the text at spaces into lines of at most `width` units. Longer words are not broken. */
export function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
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
