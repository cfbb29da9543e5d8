/** A token that differs from this one in its first character. */
export function forge(token: string): string {
  return (token.startsWith("_") ? "-" : "_") + token.slice(1);
}
