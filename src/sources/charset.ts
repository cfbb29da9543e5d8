import iconv from "iconv-lite";

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
 * appendix F), the `charset` of the content type (RFC 7303 §3), the XML declaration or a meta element, UTF-8. There are two
 * exceptions, because any bytes fit a single-byte encoding, and servers name one by default: text that is UTF-8 is read as
 * such under every single-byte label, and a multi-byte encoding in the document wins over Latin-1 in the content type.
 * An encoding that is unknown or does not fit the bytes is skipped. If none fits, the first known one is used, with U+FFFD
 * for invalid bytes; without a known one, windows-1252.
 */
export function decodeFeed(bytes: Uint8Array, contentType: string | null): string {
  const certain = byteOrderMark(bytes) ?? twoByteUnits(bytes);
  if (certain) return new TextDecoder(certain).decode(bytes);
  const claims = claimsOf(bytes, contentType);
  for (const encoding of [...claims, "utf-8"]) {
    const utf8 = isMultiByte(encoding) ? null : decodeUtf8(bytes);
    if (utf8 !== null) return utf8;
    const text = decodeStrictly(bytes, encoding);
    if (text !== null) return text;
  }
  return claims.length === 0
    ? (decodeUtf8(bytes) ?? decode(bytes, "windows-1252", false))
    : decode(bytes, claims[0]!, false);
}

/** The encodings that the server and the document name, the more credible one first. */
function claimsOf(bytes: Uint8Array, contentType: string | null): string[] {
  const header = knownEncoding(headerCharset(contentType));
  const own = knownEncoding(declaredCharset(bytes));
  const byDefault = header === "windows-1252" && own !== null && isMultiByte(own);
  return (byDefault ? [own, header] : [header, own]).flatMap((encoding) => encoding ?? []);
}

function isMultiByte(encoding: string): boolean {
  return /^(?:utf-8|euc-|shift_jis|gb|big5|iso-2022)/.test(encoding);
}

/**
 * The text if it is UTF-8 and not ASCII. One invalid byte to ten other characters can be a title that was cut within a
 * letter; other encodings have far more.
 */
function decodeUtf8(bytes: Uint8Array): string | null {
  const text = new TextDecoder("utf-8").decode(bytes);
  const others = text.match(/[^\0-\x7f]/gu)?.length ?? 0;
  const broken = text.match(/\ufffd/g)?.length ?? 0;
  return others > 0 && broken * 11 <= others ? text : null;
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
  const start = String.fromCharCode(...bytes.subarray(0, 1024));
  const xml = /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"']+)["']/i.exec(start.slice(0, 300))?.[1];
  return xml ?? /<meta\s[^>]{0,200}?charset\s*=\s*["']?([\w-]+)/i.exec(start)?.[1];
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

/**
 * What Node's TextDecoder reads wrongly: windows-1252 as Latin-1 (Node 20), EUC-KR without the 8,822 syllables of its
 * extension cp949; and ISO-8859-16, which it does not know.
 */
const byIconv: Readonly<Record<string, string | undefined>> = {
  "windows-1252": "windows-1252",
  "euc-kr": "cp949",
  "iso-8859-16": "iso-8859-16",
};

function decode(bytes: Uint8Array, encoding: string, fatal: boolean): string {
  const name = byIconv[encoding];
  if (name === undefined) return new TextDecoder(encoding, { fatal }).decode(bytes);
  const text = iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name);
  // None of these encodings has this character, so it stands for an invalid byte.
  if (fatal && text.includes("\ufffd")) throw new TypeError(`The text is not valid ${name}.`);
  return text;
}
