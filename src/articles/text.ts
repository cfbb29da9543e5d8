import { decodeHTMLStrict } from "entities";
import { compile } from "html-to-text";
import { clip, oneLine } from "../render/plain.ts";

/** UTF-16 units of a stored title and of a stored summary. */
export const titleLimit = 500;
export const summaryLimit = 2000;

/** UTF-16 units that are read. 2,000 characters of text rarely need more markup. */
const longestInput = 20_000;
/** HTML, escaped HTML, and HTML that was escaped twice. */
const deepestEscape = 3;

const entity = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/i;
const inline = "a|abbr|b|big|cite|code|del|em|font|i|ins|mark|q|s|small|span|strike|strong|sub|sup|time|tt|u";
const blocks =
  "article|aside|blockquote|br|center|dd|div|dl|dt|figcaption|figure|footer|h[1-6]|header|hr|iframe|img|li|main|" +
  "object|ol|p|picture|pre|section|svg|table|tbody|td|th|thead|tr|ul|video";
const tag = new RegExp(`</?(?:${inline}|${blocks})(?:\\s[^<>]*)?/?>|</(?:script|style)\\s*>|<!--`, "i");

const block = { format: "block" };
const convert = compile({
  wordwrap: false,
  limits: { maxDepth: 100, ellipsis: "" },
  selectors: [
    { selector: "a", options: { ignoreHref: true } },
    { selector: "ul", options: { itemPrefix: " " } },
    ...["img", "hr", "iframe", "object", "svg", "video"].map((selector) => ({ selector, format: "skip" })),
    ...["blockquote", "pre", "table", "tr", "td", "th"].map((selector) => ({ selector, ...block })),
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, ...block })),
  ],
});

/**
 * The text of HTML, of HTML that was escaped once too often, or of plain text: `Using <T> in C++` stays unchanged. One line,
 * without control and bidi characters, at most `max` UTF-16 units, cut with "…". Only the first 20,000 units are read.
 */
export function plainText(raw: string, max: number = Infinity): string {
  return clip(oneLine(textLines(raw.slice(0, longestInput)).replace(/\s{2,}/g, " ")), max);
}

/** Like `plainText`, uncut, with line breaks for blocks and `<br>`. */
export function textLines(raw: string): string {
  let text = raw;
  for (let depth = 0; depth < deepestEscape && (entity.test(text) || tag.test(text)); depth++) {
    const plainer = tag.test(text) ? convert(text) : decodeEntities(text);
    if (plainer === text) break;
    text = plainer;
  }
  return text;
}

/** Decodes HTML character references once. Unknown ones stay. */
export function decodeEntities(raw: string): string {
  return entity.test(raw) ? decodeHTMLStrict(raw) : raw;
}
