import { sql, type RawBuilder } from "kysely";

/** The text without e-mail addresses: relays like to quote them in their replies, and logs must not hold them. */
export function withoutAddress(text: string): string {
  return text.replace(/[^\s<>"]+/g, (word) => (word.slice(1, -1).includes("@") ? "<address>" : word));
}

/** Enough of an address for its owner to recognise it, too little to write to it: `m…@e….org`. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1);
  return `${address.slice(0, 1)}…@${domain.slice(0, 1)}…${domain.slice(domain.lastIndexOf("."))}`;
}

/** A relay's answer with its addresses taken out, in SQL: what is kept of it once the reader was erased. */
export function withoutAddresses(reply: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`regexp_replace(${reply}, '[^\\s<>"]+@[^\\s<>"]+', '<address>', 'g')`;
}
