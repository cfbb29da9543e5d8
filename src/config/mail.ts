import { domainToASCII } from "node:url";
import { Refusal } from "../base/errors.ts";
import { wrongValue } from "../schedule/settings.ts";
import { maskUrl } from "./mask.ts";
import { line } from "./readers.ts";

/** Where the relay is and how to enter it. */
export interface Relay {
  /** Name or address, without the brackets of IPv6. */
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
  if (!url.hostname || !/^\/?$/.test(url.pathname) || url.hash) throw refusal;
  if (url.search) throw wrongValue(maskUrl(raw), `without options; take out what follows the ?, or, if it is part of the password, ${hint}`);
  const secure = url.protocol === "smtps:";
  const login = loginOf(url, refusal);
  return {
    host: url.hostname.replace(/^\[|\]$/g, "").toLowerCase(),
    port: url.port ? Number(url.port) : secure ? 465 : 587,
    secure,
    ...login,
  };
}

function loginOf(url: URL, refusal: Refusal): Pick<Relay, "user" | "password"> {
  if (!url.username && !url.password) return { user: null, password: null };
  if (!url.username || !url.password) {
    throw new Refusal(422, `it has a ${url.username ? "user without a password" : "password without a user"}; give both or none.`);
  }
  try {
    return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch {
    throw refusal;
  }
}

/** Reads `Name <address>`, `"Name" <address>` or a bare address. Throws a 422 Refusal. */
export function parseMailbox(raw: string): Mailbox {
  const refusal = wrongValue(raw, 'a sender; expected a form such as "Telecom Daily" <alerts@example.com>');
  const match = /^(?:"((?:[^"\\]|\\.)*)"|([^<>"]*))\s*<([^<>]*)>$/.exec(line(raw));
  const name = (match?.[1]?.replace(/\\(.)/g, "$1") ?? match?.[2] ?? "").trim();
  const address = asciiAddress(match ? (match[3] ?? "") : raw);
  if (address === null) throw refusal;
  return { name: name || null, address };
}

/** The e-mail address pattern of the HTML standard with the lengths of RFC 5321 §4.5.3.1; IDN domains in ASCII form. */
function asciiAddress(raw: string): string | null {
  const at = raw.lastIndexOf("@");
  const local = raw.slice(0, at);
  const domain = domainToASCII(raw.slice(at + 1));
  if (at < 1 || local.length > 64 || local.length + 1 + domain.length > 254) return null;
  const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  const valid = /^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+$/i.test(local) && new RegExp(`^${label}(?:\\.${label})*$`).test(domain);
  return valid ? `${local}@${domain}` : null;
}
