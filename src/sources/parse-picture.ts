import { plainText } from "../articles/text.ts";
import type { Picture } from "../render/types.ts";
import { absoluteUrl } from "./address.ts";

/** What a feed says about a picture of an item. */
export interface RawPicture {
  url?: string | undefined;
  /** A MIME type; what the address looks like decides without one. */
  type?: string | undefined;
  alt?: string | undefined;
  width?: number | undefined;
  height?: number | undefined;
}

interface MediaPart {
  url?: string;
  type?: string;
  medium?: string;
  width?: number;
  height?: number;
}
interface MediaTexts {
  title?: { value?: string };
  description?: { value?: string };
  thumbnails?: MediaPart[];
}
interface Media extends MediaTexts {
  contents?: (MediaPart & MediaTexts)[];
  groups?: (MediaTexts & { contents?: (MediaPart & MediaTexts)[] })[];
}

/** The kinds that mail clients show. */
const shown = /^image\/(?:jpe?g|png|gif|webp)\b/i;
const shownName = /\.(?:jpe?g|png|gif|webp)$/i;
const longestAlt = 200;
/** A tracking pixel or an icon is smaller. */
const leastWidth = 100;
const mostPixels = 20_000;

/** The first picture that an email can show. @param base what relative addresses are relative to */
export function toPicture(candidates: readonly RawPicture[] | undefined, base: string): Picture | null {
  for (const { url: raw, type, alt, width, height } of candidates ?? []) {
    const url = absoluteUrl(raw, base);
    if (url === null || !url.startsWith("https:")) continue;
    if (type === undefined ? !shownName.test(new URL(url).pathname) : !shown.test(type)) continue;
    const size = { width: pixels(width), height: pixels(height) };
    if (size.width !== null && size.width < leastWidth) continue;
    return { url, alt: plainText(alt ?? "", longestAlt), ...size };
  }
  return null;
}

function pixels(value: number | undefined): number | null {
  return value !== undefined && Number.isInteger(value) && value > 0 && value <= mostPixels ? value : null;
}

/** Of an RSS item: its enclosures, then Media RSS. */
export function rssPictures(item: { enclosures?: { url?: string; type?: string }[]; media?: Media }): RawPicture[] {
  return [
    ...(item.enclosures ?? []).map(({ url, type }) => ({ url, type: type || undefined })),
    ...mediaPictures(item),
  ];
}

/** Of an Atom entry: its enclosure links (RFC 4287, 4.2.7.2), then Media RSS. */
export function atomPictures(entry: {
  links?: { rel?: string; href?: string; type?: string; title?: string }[];
  media?: Media;
}): RawPicture[] {
  const links = (entry.links ?? []).filter(({ rel }) => rel?.toLowerCase() === "enclosure");
  return [...links.map(({ href, type, title }) => ({ url: href, type, alt: title })), ...mediaPictures(entry)];
}

/** Of a JSON Feed item: its pictures, then its attachments. The former have no type. */
export function jsonPictures(item: {
  image?: string;
  banner_image?: string;
  attachments?: { url?: string; mime_type?: string; title?: string }[];
}): RawPicture[] {
  return [
    { url: item.image, type: "image/jpeg" },
    { url: item.banner_image, type: "image/jpeg" },
    ...(item.attachments ?? []).map(({ url, mime_type: type, title }) => ({ url, type, alt: title })),
  ];
}

/** Of Media RSS: the contents that are images, then the thumbnails, which always are. */
function mediaPictures({ media }: { media?: Media }): RawPicture[] {
  if (media === undefined) return [];
  const own = [...(media.contents ?? []), ...(media.groups ?? []).flatMap(({ contents }) => contents ?? [])];
  const images = own.filter(
    ({ medium, type }) => medium === "image" || (medium === undefined && !/^(?:video|audio)\//i.test(type ?? "")),
  );
  const thumbnails = [media, ...(media.groups ?? []), ...own].flatMap((part) => part.thumbnails ?? []);
  return [
    ...images.map((part) => ({
      ...part,
      type: part.type ?? (part.medium === "image" ? "image/jpeg" : undefined),
      alt: textOf(part) ?? textOf(media),
    })),
    ...thumbnails.map((part) => ({ ...part, type: "image/jpeg" })),
  ];
}

function textOf({ description, title }: MediaTexts): string | undefined {
  return description?.value ?? title?.value;
}
