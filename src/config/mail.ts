import { invalid, Refusal } from "../base/errors.ts";
import { parseAnyAddress } from "../base/address.ts";
import { maskUrl, asciiHost, isLoopback, line } from "./parse-values.ts";

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

/** A folder of a mailbox on an IMAP server, and how to get there. */
export interface ImapMailbox {
  /** Name in ASCII form or address, without the brackets of IPv6. */
  host: string;
  port: number;
  /** `implicit`: from the first byte (imaps). `starttls`: required before the login. `none`: only to this machine. */
  tls: "implicit" | "starttls" | "none";
  user: string;
  password: string;
  folder: string;
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

/**
 * Reads imaps://user:password@host/FOLDER (port 993 and TLS at once, RFC 8314) or imap:// (port 143 and STARTTLS, on loopback without
 * TLS). The folder is INBOX if it is missing. Throws a 422 Refusal that never shows the user or password.
 */
export function parseImap(raw: string): ImapMailbox {
  const refusal = invalid("imap_url_invalid", maskUrl(raw));
  if (!/^imaps?:\/\//i.test(raw) || /\s/.test(raw) || !URL.canParse(raw)) throw refusal;
  const url = new URL(raw);
  const host = asciiHost(decoded(url.hostname, refusal).replace(/^\[|\]$/g, ""));
  if (host === null || url.port === "0" || !url.username || !url.password || url.search || url.hash) throw refusal;
  const parts = [url.username, url.password, url.pathname.slice(1) || "INBOX"].map((part) => decoded(part, refusal));
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (parts.some((part) => /[\u0000-\u001f\u007f]/.test(part))) throw refusal;
  const [user, password, folder] = parts as [string, string, string];
  const secure = url.protocol === "imaps:";
  const tls = secure ? "implicit" : isLoopback(host) ? "none" : "starttls";
  return { host, port: url.port ? Number(url.port) : secure ? 993 : 143, tls, user, password, folder };
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

/**
 * RFC 5321 §4.5.3.1.1: a local part has at most 64 octets. A plus sign and the token of a return path take the others
 * (`mail/return-path.ts`).
 */
export const longestBounceLocal = 64 - 1 - 40;

/** Reads the address that return paths are made from. Throws a 422 Refusal. */
export function parseBounceAddress(raw: string): string {
  const { address } = parseAnyAddress(raw);
  const most = longestBounceLocal;
  if (address.lastIndexOf("@") > most) throw invalid("bounce_address_long", raw, { most });
  return address;
}

/** The settings that say where bounces come back to, and how Dayletter gets them. */
export interface BounceWays {
  bounceAddress: string | null;
  bounceListen: object | null;
  bounceImap: object | null;
}

/** Whether Dayletter itself receives the emails to `BOUNCE_ADDRESS`. */
export function receivesBounces({ bounceAddress, bounceListen, bounceImap }: BounceWays): boolean {
  return bounceAddress !== null && (bounceListen !== null || bounceImap !== null);
}

/** Bare addresses between commas, each once. Throws a 422 Refusal that names the first wrong one. */
export function parseAddresses(raw: string): string[] {
  const items = raw.split(/[\s,]+/).filter((item) => item !== "");
  return [...new Set(items.map((item) => parseAnyAddress(item).address))];
}
