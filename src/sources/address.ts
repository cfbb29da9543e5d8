import { oneLine } from "../base/text.ts";
import { httpUrl, longestUrl } from "../render/plain.ts";
import { echo, Refusal } from "../base/errors.ts";
import { maskUrl } from "../config/parse-values.ts";

/** The address of a feed as somebody typed it. @throws Refusal 422 */
export function feedAddress(raw: string): string {
  const url = raw.trim();
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new Refusal(422, "feed_address_invalid", { url: echo(maskUrl(url)) });
}

/** A feed's address for people and logs, without user, password and query, which can hold secrets. */
export function shownUrl(url: string | URL): string {
  const parsed = new URL(url);
  const query = parsed.search === "" ? "" : "?…";
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${query}`;
}

/** The address without user and password. Readers see links that are relative to it. */
export function withoutUser(url: string): string {
  const parsed = new URL(url);
  parsed.username = "";
  parsed.password = "";
  return parsed.href;
}

/** `link` as an absolute http(s) URL of at most 2,048 characters without user, or null. */
export function absoluteUrl(link: string | undefined, base: string): string | null {
  const text = oneLine(link ?? "");
  if (text === "" || text.length > longestUrl || !URL.canParse(text, base)) return null;
  return httpUrl(new URL(text, base).href);
}
