import { invalid, Refusal } from "../base/errors.ts";
import { parseAnyAddress } from "../base/address.ts";
import { maskUrl } from "./mask.ts";
import { asciiHost, line } from "./readers.ts";

/** Host, port and login of the relay. */
export interface Relay {
  /** Name in ASCII form or address, without the brackets of IPv6. */
  host: string;
  port: number;
  /** TLS from the first byte (smtps). */
  secure: boolean;
  user: string | null;
  password: string | null;
}

/** An address with its display name, null without one. */
export interface Mailbox {
  name: string | null;
  address: string;
}

/**
 * Reads smtp:// (port 587, RFC 6409, and STARTTLS) or smtps:// (port 465 and TLS at once, RFC 8314). Paths and options
 * are refused, because they would be ignored. Throws a 422 Refusal that never shows the user or password.
 */
export function parseRelay(raw: string): Relay {
  const refusal = invalid("relay_url_invalid", maskUrl(raw));
  if (!/^smtps?:\/\//i.test(raw) || /\s/.test(raw) || !URL.canParse(raw)) throw refusal;
  const url = new URL(raw);
  const host = asciiHost(decoded(url.hostname, refusal).replace(/^\[|\]$/g, ""));
  if (host === null || url.port === "0" || !/^\/?$/.test(url.pathname) || url.hash) throw refusal;
  if (url.search) throw new Refusal(422, "relay_url_options");
  const secure = url.protocol === "smtps:";
  const login = loginOf(url, refusal);
  return { host, port: url.port ? Number(url.port) : secure ? 465 : 587, secure, ...login };
}

function loginOf(url: URL, refusal: Refusal): Pick<Relay, "user" | "password"> {
  if (!url.username && !url.password) return { user: null, password: null };
  if (!url.username || !url.password) {
    throw new Refusal(422, url.username ? "relay_password_missing" : "relay_user_missing");
  }
  return { user: decoded(url.username, refusal), password: decoded(url.password, refusal) };
}

function decoded(text: string, refusal: Refusal): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refusal;
  }
}

/** Reads `Name <address>`, `"Name" <address>` or a bare address. Throws a 422 Refusal. */
export function parseMailbox(raw: string): Mailbox {
  const match = /^(?:"((?:[^"\\]|\\.)*)"\s*|([^<>"]*))<([^<>]*)>$/.exec(line(raw));
  if (!match && /[<>"]/.test(raw)) {
    throw invalid("sender_invalid", raw);
  }
  const name = (match?.[1]?.replace(/\\(.)/g, "$1") ?? match?.[2] ?? "").trim();
  return { name: name || null, address: parseAnyAddress(match?.[3] ?? raw).address };
}

/** Bare addresses between commas, each once. Throws a 422 Refusal that names the first wrong one. */
export function parseAddresses(raw: string): string[] {
  const items = raw.split(/[\s,]+/).filter((item) => item !== "");
  return [...new Set(items.map((item) => parseAnyAddress(item).address))];
}
