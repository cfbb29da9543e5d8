import { httpUrl, longestUrl, oneLine } from "../render/plain.ts";

/** A feed's address for people and logs: without user, password and the values of its query, where secrets live. */
export function shownUrl(url: string | URL): string {
  const parsed = new URL(url);
  const query = parsed.search === "" ? "" : "?…";
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${query}`;
}

/** The same address without user and password: the base of links, which readers get to see. */
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
