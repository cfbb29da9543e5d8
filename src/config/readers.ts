import { BlockList, isIP } from "node:net";
import { domainToASCII } from "node:url";
import { Refusal, wrongValue } from "../base/errors.ts";
import { maskUrl } from "./mask.ts";

/** Turns the trimmed, non-empty text of a setting into its value, or throws a 422 Refusal whose message is shown. */
export type Reader<T> = (raw: string) => T;

export function wholeNumber(min: number, max: number): Reader<number> {
  return (raw) => {
    const value = Number(raw);
    if (/^\d+$/.test(raw) && value >= min && value <= max) return value;
    throw wrongValue(raw, `a whole number from ${min} to ${max}`);
  };
}

/** A number greater than 0, such as 0.5. */
export function rate(max: number): Reader<number> {
  return (raw) => {
    const value = Number(raw);
    if (/^\d+(\.\d+)?$/.test(raw) && value > 0 && value <= max) return value;
    throw wrongValue(raw, `a number above 0 and up to ${max}`);
  };
}

export const flag: Reader<boolean> = (raw) => {
  if (raw === "0" || raw === "1") return raw === "1";
  throw wrongValue(raw, "0 or 1");
};

export function choice<const T extends string>(values: readonly T[]): Reader<T> {
  return (raw) => {
    const found = values.find((value) => value === raw);
    if (found !== undefined) return found;
    throw wrongValue(raw, `one of ${values.join(", ")}`);
  };
}

/** One line of text, fit for a header. */
export const line: Reader<string> = (raw) => {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (!/[\u0000-\u001f\u007f]/.test(raw)) return raw;
  throw wrongValue(raw, "one line of text without control characters");
};

export const text: Reader<string> = (raw) => raw;

/** A secret is never shown, not even when it is wrong. */
export function secret(minLength: number): Reader<string> {
  return (raw) => {
    if (raw.length < minLength) {
      throw new Refusal(
        422,
        `it has ${raw.length} characters and needs at least ${minLength}; make one with \`openssl rand -hex 32\`.`,
      );
    }
    if (/\s/.test(raw)) throw new Refusal(422, "it has white space in it; take that out.");
    return raw;
  };
}

/** The URL of a server, kept as it was written, since a driver reads it. */
export function serverUrl(schemes: readonly string[], example: string): Reader<string> {
  return (raw) => {
    if (URL.canParse(raw) && schemes.includes(new URL(raw).protocol)) return raw;
    throw wrongValue(maskUrl(raw), `a URL of the form ${example}`);
  };
}

/** The address of a site, without trailing slash; links are made by putting a path behind it. */
export const siteUrl: Reader<string> = (raw) => {
  const url = webUrl(raw);
  if (url && !url.username && !url.password && !url.search && !url.hash) return url.href.replace(/(?<!\/)\/+$/, "");
  throw wrongValue(maskUrl(raw), "the address of a site; expected a form such as https://alerts.example.com");
};

/** Feed URLs between commas, each once. The refusal names every wrong one. */
export const feedUrls: Reader<string[]> = (raw) => {
  const items = listOf(raw);
  const wrong = items.filter((item) => webUrl(item) === null).map((item) => JSON.stringify(maskUrl(item)));
  if (wrong.length > 0) {
    const which = wrong.length === 1 ? `${wrong[0]} is not a feed URL` : `${wrong.join(", ")} are not feed URLs`;
    throw new Refusal(422, `${which}; expected http:// or https:// addresses between commas, a comma in one as %2C.`);
  }
  return [...new Set(items.map((item) => new URL(item).href))];
};

/** The address of a program that is called. A request cannot carry the user and password of an address. */
export const callUrl: Reader<string> = (raw) => {
  const url = webUrl(raw);
  if (url && !url.username && !url.password) return url.href;
  throw wrongValue(maskUrl(raw), "an address to call; expected http:// or https://, without user and password");
};

/** A host name in ASCII form or a literal address, to listen on or connect to. */
export const hostName: Reader<string> = (raw) => {
  const host = asciiHost(raw);
  if (host !== null) return host;
  throw wrongValue(raw, "a host; expected a name or an address, such as 0.0.0.0, without scheme and port");
};

/** An underscore is no letter of RFC 1123 §2.1, but container networks have names with it. */
export function asciiHost(raw: string): string | null {
  if (isIP(raw)) return raw;
  // A name has at most 253 characters in the end, and `domainToASCII` takes quadratic time.
  if (raw.length > 1_000) return null;
  const name = domainToASCII(raw);
  return /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_.])?$/.test(name) ? name : null;
}

function webUrl(raw: string): URL | null {
  // `new URL` repairs "https:/example.com" and inner white space; a setting with those was typed wrongly.
  if (!/^https?:\/\/[^\s/]/i.test(raw) || /\s/.test(raw) || !URL.canParse(raw)) return null;
  return new URL(raw);
}

/** "#RGB" or "#RRGGBB", as "#rrggbb". */
export const hexColour: Reader<string> = (raw) => {
  if (!/^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(raw)) throw wrongValue(raw, "a colour; expected a form such as #8a1c1c");
  const colour = raw.toLowerCase();
  return colour.length === 4 ? colour.replace(/[0-9a-f]/g, "$&$&") : colour;
};

/**
 * A BCP 47 language tag. Desktop Linux exports LANGUAGE as a list of POSIX locales ("en_US.UTF-8:en"), so that form is
 * read too, by its first usable item; the "C" and "POSIX" locales are English.
 */
export const languageTag: Reader<string> = (raw) => {
  for (const item of raw.split(":")) {
    const locale = item.split(/[.@]/, 1)[0]!.replaceAll("_", "-");
    if (/^(c|posix)$/i.test(locale)) return "en";
    const [tag] = knownLocales(locale);
    if (tag !== undefined) return tag;
  }
  throw wrongValue(raw, "a language; expected a BCP 47 tag such as en, de-CH or ko");
};

function knownLocales(locale: string): string[] {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(locale);
  } catch {
    return [];
  }
}

/** "0", "1" for the one proxy that is there, or the addresses and networks of all of them. */
export const trustedProxies: Reader<boolean | string[]> = (raw) => {
  if (raw === "0" || raw === "1") return raw === "1";
  const proxies = listOf(raw);
  if (proxies.length > 0 && proxies.every(isNetwork)) return proxies;
  throw wrongValue(raw, "0, 1 or a list of proxies; expected addresses such as 10.0.0.0/8,192.168.1.5");
};

function isNetwork(item: string): boolean {
  const [address = "", prefix, ...rest] = item.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || prefix === "") return false;
  if (prefix === undefined) return true;
  // A prefix of 0 would be everybody, for which there is 1; Fastify throws on it.
  return /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether a host name or literal address can only mean this machine (RFC 6761 §6.3 for "localhost"). */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return /^(.+\.)?localhost\.?$/i.test(host);
  return loopback.check(host, family === 4 ? "ipv4" : "ipv6");
}

/** The same of an HTTP URL's host. */
export function leadsToLoopback(url: string): boolean {
  return isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ""));
}

function listOf(raw: string): string[] {
  return raw.split(/[\s,]+/).filter((item) => item !== "");
}
