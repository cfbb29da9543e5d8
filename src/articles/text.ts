import { decodeHTMLStrict } from "entities";
import { Parser } from "htmlparser2";
import { oneLine } from "../base/text.ts";
import { clip } from "../render/plain.ts";

/** UTF-16 units of a stored title and of a stored summary. */
export const titleLimit = 500;
export const summaryLimit = 2000;

/** UTF-16 units that are read. 2,000 characters of text rarely need more markup. */
const longestInput = 20_000;
/** HTML, escaped HTML, and HTML that was escaped twice. */
const deepestEscape = 3;

/**
 * `text` is plain for certain. Whether a `title` or `prose` is HTML has to be found out: a title can mention a tag (`Why
 * <body> and <p> matter`), and prose often has `<p>` without an end.
 */
export type TextKind = "title" | "prose" | "text";

const blocks = new Set(
  (
    "address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset figcaption figure " +
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr html iframe img legend li main menu nav object ol option p picture " +
    "pre section summary svg table tbody td tfoot th thead tr ul video"
  ).split(" "),
);
const inline = new Set(
  (
    "a abbr acronym area audio b base basefont bdi bdo big button canvas cite code col colgroup data datalist del dfn em " +
    "embed font head i input ins kbd label link map mark math meta meter nobr noscript optgroup output param progress q " +
    "rb rp rt rtc ruby s samp script select slot small source span strike strong style sub sup template textarea time " +
    "title track tt u var wbr"
  ).split(" "),
);
const voids = new Set([
  "area",
  "base",
  "br",
  "col",
  "embed",
  "hr",
  "img",
  "input",
  "link",
  "meta",
  "param",
  "source",
  "track",
  "wbr",
]);
/** Their content is not text, or is in a ruby text already. */
const skipped = new Set([
  "audio",
  "canvas",
  "head",
  "iframe",
  "object",
  "rp",
  "script",
  "select",
  "style",
  "svg",
  "template",
  "video",
]);

const entity = /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/i;
/** A character above U+FFFF that was written as two references to the halves of its surrogate pair. */
const halves = /&#(?:5[56]\d{3}|xd[89ab][\da-f]{2});&#(?:5[67]\d{3}|xd[c-f][\da-f]{2});/gi;
/** Between the items of a list. Feeds have no use for it in their texts. */
const itemBreak = "\v";

/**
 * The text of HTML, of HTML that was escaped once too often, or of plain text: `Using <T> in C++` stays unchanged. One line,
 * without control and bidi characters, at most `max` UTF-16 units, cut with "…". List items are separated by semicolons.
 * Only the first 20,000 units are read.
 */
export function plainText(raw: string, max: number = Infinity, kind: TextKind = "prose"): string {
  const text = withoutMarkup(raw.slice(0, longestInput), kind).replace(/(?<![\s])\s*\v\s*/g, itemBreak);
  const joined = text.replace(/([.,;:!?…]?)\v/g, (_, end: string) => (end === "" ? "; " : `${end} `));
  return clip(oneLine(joined.replace(/\s{2,}/g, " ")), max);
}

/** Like `plainText`, uncut, with line breaks for blocks, list items and `<br>`. */
export function textLines(raw: string, kind: TextKind = "prose"): string {
  return withoutMarkup(raw, kind).replaceAll(itemBreak, "\n");
}

function withoutMarkup(raw: string, kind: TextKind): string {
  let text = withoutC1(raw.replaceAll(itemBreak, " "));
  if (kind === "text") return text;
  for (let depth = 0; depth < deepestEscape && (text.includes("<") || entity.test(text)); depth++) {
    const plainer = readMarkup(text, kind) ?? decodeEntities(text);
    if (plainer === text) break;
    text = plainer;
  }
  return text;
}

/** The text of HTML; null for a text that is not HTML although it may contain angle brackets. */
function readMarkup(raw: string, kind: "title" | "prose"): string | null {
  let isHtml = false;
  const parts: string[] = [];
  /** Open elements whose content is not text. */
  const inside: string[] = [];
  const lower = raw.toLowerCase();
  /** Elements that are not closed anywhere further on. */
  const unclosed = new Set<string>();
  /** For each open list, whether it has had an item. */
  const lists = [false];
  let read = 0;
  let hasText = false;

  const add = (text: string): void => {
    if (inside.length > 0) return;
    parts.push(text);
    hasText ||= text.trim() !== "";
  };
  const source = (): string => raw.slice(parser.startIndex, parser.endIndex + 1);
  const closes = (name: string): boolean => {
    if (!unclosed.has(name) && lower.indexOf(`</${name}`, parser.endIndex) === -1) unclosed.add(name);
    return !unclosed.has(name);
  };

  const parser = new Parser(
    {
      onopentag(name, attributes, isImplied) {
        read = parser.endIndex + 1;
        if (isImplied) return;
        const known = isKnown(name);
        if (!known) return add(decodeEntities(source()));
        const block = blocks.has(name);
        const valued = Object.values(attributes).some((value) => value !== "");
        isHtml ||= voids.has(name) || valued || (block && (!hasText || (kind === "prose" && name !== "body")));
        if (block) add(name === "li" && lists.at(-1) === true ? itemBreak : "\n");
        if (name === "rt") add("(");
        if (name === "li") lists[lists.length - 1] = true;
        if (isList(name)) lists.push(false);
        if (skipped.has(name) && (source().endsWith("/>") || closes(name))) inside.push(name);
      },
      onclosetag(name, isImplied) {
        if (!isImplied) read = parser.endIndex + 1;
        if (inside.at(-1) === name) inside.pop();
        if (!isKnown(name)) return isImplied ? undefined : add(decodeEntities(source()));
        if (!isImplied && !voids.has(name)) isHtml = true;
        if (name === "rt") add(")");
        if (isList(name) && lists.length > 1) lists.pop();
        if (blocks.has(name) && name !== "li") add("\n");
      },
      ontext(text) {
        read = parser.endIndex + 1;
        add(decodeEntities(text).replace(/[\t\n\f\r ]+/g, " "));
      },
      oncomment() {
        read = parser.endIndex + 1;
        isHtml = true;
      },
      onprocessinginstruction() {
        read = parser.endIndex + 1;
      },
    },
    { decodeEntities: false, recognizeSelfClosing: true, recognizeCDATA: true },
  );
  parser.end(raw);
  if (!isHtml) return null;
  // What looked like a tag and never ended.
  parts.push(decodeEntities(raw.slice(read)));
  return parts.join("");
}

function isList(name: string): boolean {
  return name === "ul" || name === "ol";
}

/** HTML elements, custom elements (`my-element`), and those that word processors leave behind (`o:p`). */
function isKnown(name: string): boolean {
  return blocks.has(name) || inline.has(name) || /^[a-z]+[:-][a-z]/.test(name);
}

/** Decodes HTML character references once. Unknown ones stay. */
export function decodeEntities(raw: string): string {
  if (!entity.test(raw)) return raw;
  return decodeHTMLStrict(joinHalves(raw));
}

/** Replaces two references to the halves of a surrogate pair by their character. XML parsers cannot read them. */
export function joinHalves(raw: string): string {
  return raw.replace(halves, (pair) => String.fromCharCode(...codes(pair)));
}

const windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

/** C1 controls do not occur in texts. They are windows-1252 characters that somebody read as Latin-1. */
export function withoutC1(raw: string): string {
  return raw.replace(/[\u0080-\u009f]/g, (control) => windows1252[control.charCodeAt(0) - 0x80]!);
}

function codes(pair: string): number[] {
  return [...pair.matchAll(/&#(x?)([\da-f]+);/gi)].map(([, hex, digits = ""]) =>
    Number.parseInt(digits, hex ? 16 : 10),
  );
}
