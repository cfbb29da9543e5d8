import { BlockList, isIP } from "node:net";
import { domainToASCII } from "node:url";
import { invalid, Refusal } from "../base/errors.ts";

/** Turns the trimmed, non-empty text of a setting into its value, or throws a 422 Refusal. */
export type Reader<T> = (raw: string) => T;

export function wholeNumber(min: number, max: number): Reader<number> {
  return (raw) => {
    const value = Number(raw);
    if (/^\d+$/.test(raw) && value >= min && value <= max) return value;
    throw invalid("whole_number_invalid", raw, { min, max });
  };
}

/** 0 for off, or a number of months. */
export function monthsOrOff(min: number, max: number): Reader<number> {
  const months = wholeNumber(min, max);
  return (raw) => {
    if (raw === "0") return 0;
    try {
      return months(raw);
    } catch {
      throw invalid("months_invalid", raw, { min, max });
    }
  };
}

/** A number greater than 0, such as 0.5. */
export function rate(max: number): Reader<number> {
  return (raw) => {
    const value = Number(raw);
    if (/^\d+(\.\d+)?$/.test(raw) && value > 0 && value <= max) return value;
    throw invalid("number_invalid", raw, { max });
  };
}

export const flag: Reader<boolean> = (raw) => {
  if (raw === "0" || raw === "1") return raw === "1";
  throw invalid("flag_invalid", raw);
};

export function choice<const T extends string>(values: readonly T[]): Reader<T> {
  return (raw) => {
    const found = values.find((value) => value === raw);
    if (found !== undefined) return found;
    throw invalid("choice_invalid", raw, { choices: values.join(", ") });
  };
}

/** One line of text that can stand in a header. */
export const line: Reader<string> = (raw) => {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (!/[\u0000-\u001f\u007f]/.test(raw)) return raw;
  throw invalid("line_invalid", raw);
};

/** Texts separated by commas. */
export const lines: Reader<string[]> = (raw) =>
  line(raw)
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** Most numbers of a list. */
const mostSteps = 100;

/** Whole numbers from 1 to `max` between commas, none smaller than the one before. */
export function steps(max: number): Reader<number[]> {
  return (raw) => {
    const parts = listOf(raw);
    const numbers = parts.map(Number);
    const valid = parts.every((part, i) => /^\d{1,15}$/.test(part) && numbers[i]! >= Math.max(1, numbers[i - 1] ?? 1));
    if (valid && parts.length > 0 && parts.length <= mostSteps && numbers.at(-1)! <= max) return numbers;
    throw invalid("steps_invalid", raw, { max, most: mostSteps });
  };
}

export const text: Reader<string> = (raw) => raw;

/** A secret is never shown, not even when it is wrong. */
export function secret(minLength: number): Reader<string> {
  return (raw) => {
    if (raw.length < minLength) throw new Refusal(422, "secret_too_short", { n: raw.length, least: minLength });
    if (/\s/.test(raw)) throw new Refusal(422, "secret_has_space");
    return raw;
  };
}

/** The URL of a server, unchanged, because a driver reads it. */
export function serverUrl(schemes: readonly string[], example: string): Reader<string> {
  return (raw) => {
    if (URL.canParse(raw) && schemes.includes(new URL(raw).protocol)) return raw;
    throw invalid("server_url_invalid", maskUrl(raw), { example });
  };
}

/** The address of a site, without trailing slash, so that a path can be appended. */
export const siteUrl: Reader<string> = (raw) => {
  const url = webUrl(raw);
  if (url && !url.username && !url.password && !url.search && !url.hash) return url.href.replace(/(?<!\/)\/+$/, "");
  throw invalid("site_url_invalid", maskUrl(raw));
};

/** The address of a web page. */
export const pageUrl: Reader<string> = (raw) => {
  const url = webUrl(raw);
  if (url && !url.username && !url.password) return url.href;
  throw invalid("page_url_invalid", maskUrl(raw));
};

/** Feed URLs between commas, each once. The refusal names every wrong one. */
export const feedUrls: Reader<string[]> = (raw) => {
  const items = listOf(raw);
  const wrong = items.filter((item) => webUrl(item) === null).map((item) => JSON.stringify(maskUrl(item)));
  if (wrong.length > 0) {
    throw new Refusal(422, "feed_urls_invalid", { n: wrong.length, value: wrong.join(", ") });
  }
  return [...new Set(items.map((item) => new URL(item).href))];
};

/** The address of a webhook. `fetch` refuses an address with user and password. */
export const callUrl: Reader<string> = (raw) => {
  const url = webUrl(raw);
  if (url && !url.username && !url.password) return url.href;
  throw invalid("call_url_invalid", maskUrl(raw));
};

/** A host name in ASCII form or a literal address, to listen on or connect to. */
export const hostName: Reader<string> = (raw) => {
  const host = asciiHost(raw);
  if (host !== null) return host;
  throw invalid("host_invalid", raw);
};

/** Reads `host:port`, or `[::1]:port` with an IPv6 address, for SMTP. With `lmtp://` before it for LMTP. */
export const listenAddress: Reader<{ protocol: "smtp" | "lmtp"; host: string; port: number }> = (raw) => {
  const protocol = /^lmtp:\/\//i.test(raw) ? "lmtp" : "smtp";
  const place = protocol === "lmtp" ? raw.slice("lmtp://".length) : raw;
  const [, six, other, digits = ""] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(place) ?? [];
  const host = asciiHost(six ?? other ?? "");
  const port = Number(digits);
  if (host === null || digits === "" || port > 65_535) throw invalid("listen_address_invalid", raw);
  return { protocol, host, port };
};

/** RFC 1123 §2.1 does not allow an underscore, but names in container networks have one. */
export function asciiHost(raw: string): string | null {
  if (isIP(raw)) return raw;
  // A name has at most 253 characters, but `domainToASCII` takes quadratic time.
  if (raw.length > 1_000) return null;
  const name = domainToASCII(raw);
  return /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_.])?$/.test(name) ? name : null;
}

function webUrl(raw: string): URL | null {
  // `new URL` repairs "https:/example.com" and inner white space; a setting with those is a typing error.
  if (!/^https?:\/\/[^\s/]/i.test(raw) || /\s/.test(raw) || !URL.canParse(raw)) return null;
  return new URL(raw);
}

/** "#RGB" or "#RRGGBB", as "#rrggbb". */
export const hexColour: Reader<string> = (raw) => {
  if (!/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(raw)) throw invalid("colour_invalid", raw);
  const colour = raw.toLowerCase();
  return colour.length === 4 ? colour.replace(/[0-9a-f]/g, "$&$&") : colour;
};

/**
 * A BCP 47 language tag. Desktop Linux exports LANGUAGE as a list of POSIX locales ("en_US.UTF-8:en"); the first known
 * one counts, and "C" and "POSIX" are English.
 */
export const languageTag: Reader<string> = (raw) => {
  for (const item of raw.split(":")) {
    const locale = item.split(/[.@]/, 1)[0]!.replaceAll("_", "-");
    if (/^(c|posix)$/i.test(locale)) return "en";
    const [tag] = knownLocales(locale);
    if (tag !== undefined) return tag;
  }
  throw invalid("language_invalid", raw);
};

function knownLocales(locale: string): string[] {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(locale);
  } catch {
    return [];
  }
}

/** "0", "1" for one proxy with any address, or the addresses and networks of all proxies. */
export const trustedProxies: Reader<boolean | string[]> = (raw) => {
  if (raw === "0" || raw === "1") return raw === "1";
  const proxies = listOf(raw);
  if (proxies.length > 0 && proxies.every(isNetwork)) return proxies;
  throw invalid("proxies_invalid", raw);
};

function isNetwork(item: string): boolean {
  const [address = "", prefix, ...rest] = item.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || prefix === "") return false;
  if (prefix === undefined) return true;
  // Fastify throws on a prefix of 0.
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether a host name or literal address always means this machine (RFC 6761 §6.3 for "localhost"). */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return /^(.+\.)?localhost\.?$/i.test(host);
  return loopback.check(host, family === 4 ? "ipv4" : "ipv6");
}

/** The same for the host of an HTTP URL. */
export function leadsToLoopback(url: string): boolean {
  return isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}

function listOf(raw: string): string[] {
  return raw.split(/[\s,]+/).filter((item) => item !== "");
}

/**
 * A URL without user, password and query, for pages and logs. The text need not be a valid URL: everything before the last
 * "@" is dropped, and without one only scheme and host stay. With "?" or "#" before the "@", which can be part of a password
 * or of a query, only the scheme stays.
 */
export function maskUrl(raw: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(raw)?.[0] ?? "";
  const at = raw.lastIndexOf("@");
  if (at >= 0)
    return /[?#]/.test(raw.slice(0, at)) ? `${scheme}***` : `${scheme}***@${raw.slice(at + 1).split(/[?#]/)[0]}`;
  // In "smtp://user:password" the host is missing, so what looks like a port can be a password.
  return `${scheme}${raw.slice(scheme.length).split(/[:/?#]/)[0]}`;
}
