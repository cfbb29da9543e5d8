/**
 * A URL as it may be shown to a person or a log: no user, password or query, which is where secrets live. It is made for
 * text that is not a valid URL too: what stands before the last "@" goes, and without one only the scheme and host stay.
 * An "@" behind "?" or "#" may belong to a password in either place, so then nothing but the scheme stays.
 */
export function maskUrl(raw: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(raw)?.[0] ?? "";
  const at = raw.lastIndexOf("@");
  if (at >= 0)
    return /[?#]/.test(raw.slice(0, at)) ? `${scheme}***` : `${scheme}***@${raw.slice(at + 1).split(/[?#]/)[0]}`;
  // "smtp://user:password" lacks its host; what looks like a port may be a password.
  return `${scheme}${raw.slice(scheme.length).split(/[:/?#]/)[0]}`;
}
