import { Refusal, wrongValue } from "../base/errors.ts";
import { parseAnyAddress } from "../base/address.ts";
import { maskUrl } from "./mask.ts";
import { asciiHost, line } from "./readers.ts";

/** Where the relay is and how to enter it. */
export interface Relay {
  /** Name in ASCII form or address, without the brackets of IPv6. */
  host: string;
  port: number;
  /** TLS from the first byte (smtps). */
  secure: boolean;
  user: string | null;
  password: string | null;
}

/** An address with its display name; null when none was written. */
export interface Mailbox {
  name: string | null;
  address: string;
}

const form = "smtp://user:password@host:587 or smtps://user:password@host:465";
const hint = "write special characters of the user and password as percent codes, such as %40 for @";

/**
 * Reads smtp:// (port 587, RFC 6409, and STARTTLS) or smtps:// (port 465 and TLS at once, RFC 8314). Paths and options
 * are refused, since nothing would heed them. Throws a 422 Refusal that never shows the user or password.
 */
export function parseRelay(raw: string): Relay {
  const refusal = wrongValue(maskUrl(raw), `the URL of a mail relay; expected ${form}, and ${hint}`);
  if (!/^smtps?:\/\//i.test(raw) || /\s/.test(raw) || !URL.canParse(raw)) throw refusal;
  const url = new URL(raw);
  const host = asciiHost(decoded(url.hostname, refusal).replace(/^\[|\]$/g, ""));
  if (host === null || url.port === "0" || !/^\/?$/.test(url.pathname) || url.hash) throw refusal;
  if (url.search)
    throw new Refusal(422, `it has a ? with options, which nothing would heed; leave them out, and ${hint}.`);
  const secure = url.protocol === "smtps:";
  const login = loginOf(url, refusal);
  return { host, port: url.port ? Number(url.port) : secure ? 465 : 587, secure, ...login };
}

function loginOf(url: URL, refusal: Refusal): Pick<Relay, "user" | "password"> {
  if (!url.username && !url.password) return { user: null, password: null };
  if (!url.username || !url.password) {
    const half = url.username ? "user without a password" : "password without a user";
    throw new Refusal(422, `it has a ${half}; give both or none.`);
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
    throw wrongValue(raw, 'a sender; expected a form such as "Telecom Daily" <alerts@example.com>');
  }
  const name = (match?.[1]?.replace(/\\(.)/g, "$1") ?? match?.[2] ?? "").trim();
  return { name: name || null, address: parseAnyAddress(match?.[3] ?? raw).address };
}

/** Bare addresses between commas, each once. Throws a 422 Refusal that names the first wrong one. */
export function parseAddresses(raw: string): string[] {
  const items = raw.split(/[\s,]+/).filter((item) => item !== "");
  return [...new Set(items.map((item) => parseAnyAddress(item).address))];
}
