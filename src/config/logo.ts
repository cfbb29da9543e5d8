import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { imageSize } from "image-size";
import { Refusal, reasonOf } from "../base/errors.ts";

/** The publication's logo, ready to be served. */
export interface Logo extends Picture {
  /** With a hash of the content: `logo.0123456789ab.png`. */
  name: string;
  content: Buffer;
}

export const largestLogo = 200_000;

/** @throws Refusal 422 for a file that is too large or not a picture that can be a logo */
export function logoOf(content: Buffer): Logo {
  if (content.length > largestLogo) throw tooLarge(content.length);
  const picture = lookAtPicture(content);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return { ...picture, name: `logo.${hash}.${picture.ending}`, content };
}

/**
 * Reads the file of PUBLICATION_LOGO.
 * @param path absolute, or relative to the data folder
 * @throws Refusal 422 when there is no such file, or it cannot be a logo
 */
export function readLogo(dataDir: string, path: string): Logo {
  const file = resolve(dataDir, path);
  try {
    const { size } = statSync(file);
    if (size > largestLogo) throw tooLarge(size);
    return logoOf(readFileSync(file));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Refusal(422, "logo_file_missing", { file });
    throw new Refusal(422, "logo_file_unreadable", { file, reason: code ?? reasonOf(error) });
  }
}

function tooLarge(bytes: number): Refusal {
  return new Refusal(422, "logo_too_large", { kilobytes: Math.ceil(bytes / 1000), most: largestLogo / 1000 });
}

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
  const picture = bitmap(bytes) ?? svg(bytes);
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

/** The formats that image-size reads for us. An SVG needs more checks than its size. */
const formats: Readonly<Record<string, Pick<Picture, "type" | "ending"> | undefined>> = {
  png: { type: "image/png", ending: "png" },
  jpg: { type: "image/jpeg", ending: "jpg" },
  webp: { type: "image/webp", ending: "webp" },
};

function bitmap(bytes: Buffer): Picture | null {
  try {
    const { type = "", width, height } = imageSize(bytes);
    const format = formats[type];
    return format ? { ...format, width, height } : null;
  } catch {
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
