/**
 * The tags that an address names: `tag=` holds one, `tags=` one or several between commas, and both may be repeated. A `+`
 * is a space between two other characters, as forms write it (WHATWG URL, 5.1). Anywhere else it is itself, since no tag
 * begins or ends with a space or has two: `lg%20u%2B`, `lg+u%2B` and the careless `lg u+` are all `lg u+`. After a comma it is
 * the space that a form puts there.
 * @param url path and query, still encoded
 * @param isTag tells a tag with a comma in it from two tags
 */
export function readTags(url: string, isTag: (name: string) => boolean): string[] {
  const query = url.split("#")[0]!.split("?").slice(1).join("?");
  return query
    .split("&")
    .flatMap((field) => {
      const at = field.indexOf("=");
      const name = field.slice(0, at);
      const value = field.slice(at + 1);
      if (at < 0) return [];
      if (name !== "tag" && name !== "tags") return [];
      const text = decode(value);
      return name === "tag" || isTag(text) ? [text] : splitList(value);
    })
    .filter((tag) => tag.trim() !== "");
}

function splitList(value: string): string[] {
  return value.split(/,|%2c/i).map((part, n) => decode(n === 0 ? part : part.replace(/^\++/, "")).trim());
}

/** The query that `readTags` reads the same names from, with its question mark; "" for none. */
export function tagQuery(names: readonly string[], more: Record<string, string> = {}): string {
  const fields = [...names.map((name) => ["tag", name] as const), ...Object.entries(more)];
  return fields.length === 0 ? "" : `?${fields.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&")}`;
}

/** The sign-up form with these tags brought along. */
export function subscribePath(names: readonly string[]): string {
  return `/subscribe${tagQuery(names).replaceAll(/([?&])tag=/g, "$1tags=")}`;
}

/**
 * The address of a tag's own page. A part that is `.` or `..`, encoded or not, is a step of the path for browsers and proxies
 * (RFC 3986, 5.2.4; WHATWG URL, 4.1): such a name stands in the query.
 */
export function tagPath(name: string): string {
  return /(?:^|\/)\.\.?(?:\/|$)/.test(name) ? `/tags/${tagQuery([name])}` : `/tags/${encodeURIComponent(name)}`;
}

function decode(value: string): string {
  const spaced = value.replace(/(?<=[^+])\+(?=[^+])/g, "%20");
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Not UTF-8, or a lone percent sign: what a browser would make of it.
    return new URLSearchParams(`v=${spaced.replaceAll("+", "%2B")}`).get("v") ?? "";
  }
}
