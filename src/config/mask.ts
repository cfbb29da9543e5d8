/**
 * A URL without user, password and query, for pages and logs. The text need not be a valid URL: everything before the last
 * "@" is dropped, and without one only scheme and host stay. With "?" or "#" before the "@", which can be part of a password
 * or of a query, only the scheme stays.
 */
export function maskUrl(raw: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(raw)?.[0] ?? "";
  const at = raw.lastIndexOf("@");
  if (at >= 0)
    return /[?#]/.test(raw.slice(0, at)) ? `${scheme}***` : `${scheme}***@${raw.slice(at + 1).split(/[?#]/)[0]}`;
  // In "smtp://user:password" the host is missing, so what looks like a port can be a password.
  return `${scheme}${raw.slice(scheme.length).split(/[:/?#]/)[0]}`;
}
