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
