import { invalid } from "../base/errors.ts";
import { longestUrl } from "../render/plain.ts";

/** Parameters that track where a click came from and never choose a page. */
const tracking =
  /^(?:utm_.*|ns_(?:campaign|fee|linkname|mchannel|source)|at_(?:campaign|medium)|mc_[ce]id|_hs(?:enc|mi)|_g[al]|wt_mc|mkt_tok|(?:fb|g|d|y|tw|tt)clid|msclkid|[gw]braid|gclsrc|igsh(?:id)?)$/i;

/**
 * The identity of an article: two URLs with the same key are the same article. The key is itself a URL with that key.
 * @throws Refusal 422 when `url` is not an http(s) URL
 */
export function canonicalKey(url: string): string {
  const parsed = url.length <= longestUrl && URL.canParse(url) ? new URL(url) : null;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) throw invalid("article_url_invalid", url);
  // The scheme, user and fragment never choose another page.
  return `https://${hostKey(parsed)}${pathKey(parsed.pathname)}${queryKey(parsed.search)}`;
}

/** The URL parser makes it lower case. Drops "www.", the dot of the root, and both default ports, because the scheme is dropped too. */
function hostKey({ hostname, port }: URL): string {
  const name = hostname.replace(/(?<!\.)\.+$/, "").replace(/^(?:www\.)+(?=[^.]+\.)/, "");
  return port === "" || port === "80" || port === "443" ? name : `${name}:${port}`;
}

const sameWithout = ["/", "/index.html", "/index.htm"];

/** "/news/", "/news/index.html" and "/news" are one page; "/News" may be another. */
function pathKey(path: string): string {
  const plain = sameEscapes(path);
  const lower = plain.toLowerCase();
  let end = plain.length;
  for (let tail; (tail = sameWithout.find((one) => lower.endsWith(one, end))) !== undefined;) end -= tail.length;
  return plain.slice(0, end);
}

/** Sorted by name, because most systems ignore the order of names. The order of one name's values can matter and stays. */
function queryKey(search: string): string {
  const pairs = search
    .slice(1)
    .split("&")
    // One by one: a stray "%" in a dropped parameter must not affect the others.
    .map((part) => sameEscapes(part).replaceAll("%20", "+"))
    // Only an empty value loses its "="; other equal signs belong to the value, such as base64 padding.
    .map((part) => part.replace(/^([^=]*)=$/, "$1"))
    .map((part) => ({ part, name: part.split("=", 1)[0] ?? "" }))
    .filter(({ part, name }) => part !== "" && !tracking.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return pairs.length === 0 ? "" : `?${pairs.map(({ part }) => part).join("&")}`;
}

/**
 * RFC 3986 §6.2.2: escapes in capitals, and unreserved characters unescaped. Other escapes stay, because a query can be in
 * EUC-KR. Beside a stray "%", decoding could create new escapes.
 */
function sameEscapes(text: string): string {
  const stray = /%(?![\da-f]{2})/i.test(text);
  return text.replace(/%[\da-f]{2}/gi, (escape) => {
    const char = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return !stray && /[\w.~-]/.test(char) ? char : escape.toUpperCase();
  });
}
