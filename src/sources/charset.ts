import { decodeEucKr, decodeLatin10, decodeWindows1252 } from "./charset-tables.ts";

/** Names that feeds use but the WHATWG Encoding Standard does not define. */
const aliases: Readonly<Record<string, string | undefined>> = {
  cp949: "euc-kr",
  ms949: "euc-kr",
  uhc: "euc-kr",
  cp932: "shift_jis",
  ms932: "shift_jis",
  cp936: "gb18030",
  cp950: "big5",
  "utf-16": "utf-16le",
  utf16: "utf-16le",
};

/**
 * The text of a feed. The encoding is found in this order: a byte order mark, two-byte units as in UTF-16 (XML 1.0,
 * appendix F), the `charset` of the content type (RFC 7303 §3), the XML declaration, UTF-8. An encoding that is unknown
 * or does not fit the bytes is skipped. If none fits, the first known one is used, with U+FFFD for invalid bytes; without
 * a known one, windows-1252.
 */
export function decodeFeed(bytes: Uint8Array, contentType: string | null): string {
  const certain = byteOrderMark(bytes) ?? twoByteUnits(bytes);
  if (certain) return new TextDecoder(certain).decode(bytes);
  const claims = [headerCharset(contentType), declaredCharset(bytes)].flatMap((label) => knownEncoding(label) ?? []);
  for (const encoding of [...claims, "utf-8"]) {
    const text = decodeStrictly(bytes, encoding);
    if (text !== null) return text;
  }
  return decode(bytes, claims[0] ?? "windows-1252", false);
}

function byteOrderMark([first, second, third]: Uint8Array): string | null {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : null;
}

function twoByteUnits([first, second]: Uint8Array): string | null {
  if (opens(first) && second === 0) return "utf-16le";
  return first === 0 && opens(second) ? "utf-16be" : null;
}

/** "<" or "{" */
function opens(byte: number | undefined): boolean {
  return byte === 0x3c || byte === 0x7b;
}

function headerCharset(contentType: string | null): string | undefined {
  return /;\s*charset\s*=\s*["']?([^\s"';,]+)/i.exec(contentType ?? "")?.[1];
}

function declaredCharset(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 300));
  return /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']+)["']/i.exec(start)?.[1];
}

/** Its WHATWG name, or null. null for UTF-16, which is wrong for the 8-bit units found here. */
function knownEncoding(label: string | undefined): string | null {
  if (label === undefined) return null;
  const name = label.trim().toLowerCase();
  if (name === "iso-8859-16") return name;
  try {
    const { encoding } = new TextDecoder(aliases[name] ?? name);
    // GBK is decoded as GB18030 (Encoding Standard §10.1.1). Node does not do this.
    if (encoding === "gbk") return "gb18030";
    return encoding.startsWith("utf-16") ? null : encoding;
  } catch {
    return null;
  }
}

function decodeStrictly(bytes: Uint8Array, encoding: string): string | null {
  try {
    return decode(bytes, encoding, true);
  } catch {
    return null;
  }
}

function decode(bytes: Uint8Array, encoding: string, fatal: boolean): string {
  if (encoding === "windows-1252") return decodeWindows1252(bytes);
  if (encoding === "iso-8859-16") return decodeLatin10(bytes);
  if (encoding === "euc-kr") return decodeEucKr(bytes, { fatal });
  return new TextDecoder(encoding, { fatal }).decode(bytes);
}
