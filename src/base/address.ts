import { domainToASCII } from "node:url";
import { echo, Refusal } from "./errors.ts";

export interface Address {
  /** As it goes on the envelope: the local part as typed, the domain in lower-case punycode. */
  address: string;
  /** Its identity: case folded, plus-tags kept. */
  key: string;
}

/** HTML Standard, "valid email address", local part; no EAI: few relays offer SMTPUTF8. */
const localPart = /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/;
const domainName = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*(?!\d+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** UTF-16 units as typed; an address has 254 octets in the end. `domainToASCII` takes quadratic time. */
const longestTyped = 1_000;
/** ASCII that no domain has. `domainToASCII` reads a URL's host, and so would cut off, drop or decode it. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const notOfDomain = /[\u0000-\u0020!-,/:-@[-`{-\u007f]/;

/**
 * Reads the address of a reader: as `parseAnyAddress` does, and its domain has at least two labels. `user@localhost` would
 * be a mailbox of the relay's own machine, and `mina@gmail` is a slip; no public mailbox has such a domain.
 * @throws Refusal 422 with a sentence that names the address
 */
export function parseAddress(raw: string): Address {
  const read = parseAnyAddress(raw);
  if (!read.address.slice(read.address.lastIndexOf("@")).includes(".")) throw notAnAddress(raw);
  return read;
}

/**
 * Reads an e-mail address by the HTML rule, at most 254 octets (RFC 5321 §4.5.3.1.3); an IDN becomes punycode. A number
 * in place of a domain is none (§2.3.5), and neither is an address literal (§4.1.3): they would choose a machine that the
 * relay connects to. For an operator's own mailboxes, and for addresses that are on record.
 * @throws Refusal 422 with a sentence that names the address
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
