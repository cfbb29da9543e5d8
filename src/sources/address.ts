import { httpUrl, longestUrl, oneLine } from "../render/plain.ts";

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
