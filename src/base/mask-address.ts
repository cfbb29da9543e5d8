import { sql, type RawBuilder } from "kysely";

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

/** The same in SQL, for the relay's replies to erased readers. */
export function withoutAddresses(reply: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`regexp_replace(${reply}, '[^\\s<>"]+@[^\\s<>"]+', '<address>', 'g')`;
}
