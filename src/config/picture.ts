import { Refusal } from "../base/errors.ts";

/** Type and size of a picture. */
export interface Picture {
  type: "image/svg+xml" | "image/png" | "image/jpeg" | "image/webp";
  /** The extension of its file, without the dot. */
  ending: "svg" | "png" | "jpg" | "webp";
  /** Pixels, as stated in the file. */
  width: number;
  height: number;
}

const mostPixels = 4_000;

/**
 * Reads type and size from the content, not from the name.
 * @throws Refusal 422 for another format, for an impossible size, and for an SVG with active content
 */
export function lookAtPicture(bytes: Buffer): Picture {
  const picture = png(bytes) ?? jpeg(bytes) ?? webp(bytes) ?? svg(bytes);
  if (picture === null) throw new Refusal(422, "logo_type");
  const { width, height } = picture;
  if (!(width >= 1 && height >= 1 && width <= mostPixels && height <= mostPixels)) {
    throw new Refusal(422, "logo_dimensions", { width, height, most: mostPixels });
  }
  return picture;
}

/** Outlook and Gmail show neither WebP nor SVG. */
export function isForMails({ type }: Picture): boolean {
  return type === "image/png" || type === "image/jpeg";
}

/** The largest size within a box that keeps the proportions. Only an SVG can become larger than its own size. */
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

/** ITU T.81, annex B: the size is in the first frame header (SOF). */
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
  if (!(size.width > 0 && size.height > 0)) throw new Refusal(422, "logo_svg_size");
  return { type: "image/svg+xml", ending: "svg", ...size };
}

const skipped = [
  ["<?xml", "?>"],
  ["<!--", "-->"],
  ["<!doctype", ">"],
] as const;

/** The first tag of an XML document, after its declaration and comments; "" without one. */
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

/** Browsers do not run scripts in an image, and the logo is served with a policy that forbids them. This is a second line. */
function refuseActive(text: string): void {
  const found = [
    { part: "script", shape: /<\s*(?:[\w-]+:)?script\b/i },
    { part: "handler", shape: /\son[a-z]+\s*=\s*["']/i },
    { part: "link", shape: /javascript\s*:/i },
    { part: "html", shape: /<\s*(?:[\w-]+:)?(?:foreignObject|iframe|embed|object)\b/i },
    { part: "entity", shape: /<!ENTITY/i },
    {
      part: "file",
      shape: /(?:href|src)\s*=\s*["']\s*(?!#|data:image\/)[^"'\s]|@import|url\(\s*["']?(?!#|data:)[^)\s]/i,
    },
  ].find(({ shape }) => shape.test(text));
  if (found) throw new Refusal(422, "logo_svg_active", { part: found.part });
}
