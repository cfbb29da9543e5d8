/** The text without e-mail addresses: relays like to quote them in their replies, and logs must not hold them. */
export function withoutAddress(text: string): string {
  return text.replace(/[^\s<>"]+@[^\s<>"]+/g, "<address>");
}
