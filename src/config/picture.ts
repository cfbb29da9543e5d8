import { Refusal } from "../base/errors.ts";

/** A picture as a page or a mail names it. */
export interface Picture {
  type: "image/svg+xml" | "image/png" | "image/jpeg" | "image/webp";
  /** Of a file's name, without the dot. */
  ending: "svg" | "png" | "jpg" | "webp";
  /** Pixels, as the file says. */
  width: number;
  height: number;
}

const mostPixels = 4_000;

/**
 * What a file holds, judged by its content and not by its name.
 * @throws Refusal 422 for what is no SVG, PNG, JPEG or WebP, for a size that makes no sense, and for an SVG that does
 * more than draw
 */
export function lookAtPicture(bytes: Buffer): Picture {
  const picture = png(bytes) ?? jpeg(bytes) ?? webp(bytes) ?? svg(bytes);
  if (picture === null)
    throw new Refusal(422, "it is no SVG, PNG, JPEG or WebP picture; save the logo as one of these.");
  const { width, height } = picture;
  if (!(width >= 1 && height >= 1 && width <= mostPixels && height <= mostPixels)) {
    throw new Refusal(422, `it measures ${width} × ${height}; expected from 1 to ${mostPixels} pixels each way.`);
  }
  return picture;
}

/** Whether mail programs show it: Outlook and Gmail show neither WebP nor SVG. */
export function isForMails({ type }: Picture): boolean {
  return type === "image/png" || type === "image/jpeg";
}

/** The largest size within a box that keeps the proportions; never larger than the picture itself, unless it can grow. */
export function fitWithin(
  { type, width, height }: Picture,
  box: { width: number; height: number },
): { width: number; height: number } {
  const most = type === "image/svg+xml" ? Infinity : 1;
  const scale = Math.min(box.width / width, box.height / height, most);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** PNG, third edition, 5.2 and 11.2.1. */
function png(bytes: Buffer): Picture | null {
  if (bytes.length < 24 || bytes.toString("latin1", 0, 8) !== "\x89PNG\r\n\x1a\n") return null;
  return { type: "image/png", ending: "png", width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** ITU T.81, annex B: the size stands in the first frame header (SOF). */
function jpeg(bytes: Buffer): Picture | null {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame)
      return {
        type: "image/jpeg",
        ending: "jpg",
        width: bytes.readUInt16BE(at + 7),
        height: bytes.readUInt16BE(at + 5),
      };
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
  return null;
}

/** RFC 9649, 2.5 to 2.7. */
function webp(bytes: Buffer): Picture | null {
  if (bytes.length < 30 || bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.toString("latin1", 8, 12) !== "WEBP")
    return null;
  const kind = { type: "image/webp", ending: "webp" } as const;
  switch (bytes.toString("latin1", 12, 16)) {
    case "VP8X":
      return { ...kind, width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    case "VP8L": {
      const bits = bytes.readUInt32LE(21);
      return { ...kind, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8 ":
      return { ...kind, width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    default:
      return null;
  }
}

function svg(bytes: Buffer): Picture | null {
  const text = bytes.toString("utf8");
  const open = firstElement(text);
  if (!/^<svg\b/i.test(open)) return null;
  refuseActive(text);
  const width = pixels(/\swidth\s*=\s*["']([^"']*)["']/.exec(open)?.[1]);
  const height = pixels(/\sheight\s*=\s*["']([^"']*)["']/.exec(open)?.[1]);
  const box =
    /\sviewBox\s*=\s*["']([^"']*)["']/
      .exec(open)?.[1]
      ?.trim()
      .split(/[\s,]+/) ?? [];
  const size = width > 0 && height > 0 ? { width, height } : { width: Number(box[2]), height: Number(box[3]) };
  if (!(size.width > 0 && size.height > 0))
    throw new Refusal(422, "this SVG does not say how large it is; give its first element a viewBox.");
  return { type: "image/svg+xml", ending: "svg", ...size };
}

const skipped = [
  ["<?xml", "?>"],
  ["<!--", "-->"],
  ["<!doctype", ">"],
] as const;

/** The first tag of an XML document, behind its declaration and comments; "" without one. */
function firstElement(text: string): string {
  let rest = text.trimStart();
  for (;;) {
    const found = skipped.find(([start]) => rest.slice(0, start.length).toLowerCase() === start);
    if (!found) return rest.slice(0, rest.indexOf(">") + 1);
    const [start, close] = found;
    const end = rest.indexOf(close, start.length);
    if (end === -1) return "";
    rest = rest.slice(end + close.length).trimStart();
  }
}

/** Of a length without a unit, or in pixels; NaN for any other. */
function pixels(length = ""): number {
  return Number(/^\s*([\d.]+)(?:px)?\s*$/.exec(length)?.[1] ?? Number.NaN);
}

/** Nobody's browser runs what is in a picture, and it is served so that nothing could; a logo has no business with it. */
function refuseActive(text: string): void {
  const found = [
    { what: "a script", shape: /<\s*(?:[\w-]+:)?script\b/i },
    { what: "an event handler", shape: /\son[a-z]+\s*=\s*["']/i },
    { what: "a javascript: link", shape: /javascript\s*:/i },
    { what: "HTML in it", shape: /<\s*(?:[\w-]+:)?(?:foreignObject|iframe|embed|object)\b/i },
    { what: "an entity of its own", shape: /<!ENTITY/i },
    {
      what: "a reference to another file",
      shape: /(?:href|src)\s*=\s*["']\s*(?!#|data:image\/)[^"'\s]|@import|url\(\s*["']?(?!#|data:)[^)\s]/i,
    },
  ].find(({ shape }) => shape.test(text));
  if (found) throw new Refusal(422, `this SVG has ${found.what}; save it as a plain SVG, or as PNG.`);
}
