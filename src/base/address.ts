import { domainToASCII } from "node:url";
import { echo, Refusal } from "./errors.ts";

interface Address {
  /** For the envelope: the local part as typed, the domain in lower-case punycode. */
  address: string;
  /** Its identity: case folded, plus-tags kept. */
  key: string;
}

/** HTML Standard, "valid email address", local part; no EAI: few relays offer SMTPUTF8. */
const localPart = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/;
const domainName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** UTF-16 units as typed. An address has at most 254 octets, but `domainToASCII` takes quadratic time. */
const longestTyped = 1_000;
/** ASCII that is not valid in a domain. `domainToASCII` reads a URL's host, so it would cut, drop or decode it. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const notOfDomain = /[\u0000-\u0020!-,/:-@[-`{-\u007f]/;

/**
 * Reads the address of a reader: like `parseAnyAddress`, but the domain needs at least two labels. `user@localhost` would
 * be a mailbox of the relay's own machine, and `mina@gmail` is a typing error.
 * @throws Refusal 422 that names the address
 */
export function parseAddress(raw: string): Address {
  const read = parseAnyAddress(raw);
  if (!read.address.slice(read.address.lastIndexOf("@")).includes(".")) throw notAnAddress(raw);
  return read;
}

/**
 * Reads an email address by the HTML rule, at most 254 octets (RFC 5321 §4.5.3.1.3); an IDN becomes punycode. A number
 * in place of a domain (§2.3.5) and an address literal (§4.1.3) are refused: they would choose the machine that the relay
 * connects to. For an operator's own mailboxes and for stored addresses.
 * @throws Refusal 422 that names the address
 */
export function parseAnyAddress(raw: string): Address {
  const text = raw.trim();
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  const host = text.slice(at + 1);
  const domain = text.length > longestTyped || notOfDomain.test(host) ? "" : domainToASCII(host).toLowerCase();
  const address = `${local}@${domain}`;
  if (at < 1 || !localPart.test(local) || !domainName.test(domain) || address.length > 254) {
    throw notAnAddress(raw);
  }
  return { address, key: address.toLowerCase() };
}

function notAnAddress(raw: string): Refusal {
  return new Refusal(422, "address_invalid", { address: echo(raw.trim(), 80) });
}

/** The text without email addresses. Relays quote them in replies, and logs must not contain them. */
export function withoutAddress(text: string): string {
  return text.replace(/[^\s<>"]+/g, (word) => (word.slice(1, -1).includes("@") ? "<address>" : word));
}

/** Enough of an address for its owner to recognise it, too little to use it: `m…@e….org`. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1);
  return `${address.slice(0, 1)}…@${domain.slice(0, 1)}…${domain.slice(domain.lastIndexOf("."))}`;
}

/** The domain of an address. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

/** Whether a host name leads nowhere by agreement (RFC 2606, RFC 6761 §6), for examples and tests. */
export function isReservedName(host: string): boolean {
  return /(?:^|\.)(?:example|test|invalid|example\.(?:com|net|org))\.?$/.test(host);
}
