const softBreak = "=\r\n";
const lineLimit = 76;

/**
 * The text in quoted-printable (RFC 2045, 6.7), UTF-8, as a piece that can stand before or after any other: it starts
 * at column 0 and ends with a line break, hard if the text does, soft otherwise. An empty text is an empty piece.
 * Lines never begin with a bare dot or "From ", so neither SMTP nor an mbox has to change them.
 */
export function quotedPrintable(text: string): string {
  if (plainLine.test(text) && text.length < lineLimit) return text + softBreak;
  if (plainWord.test(text)) return wordLines(text);
  const out: string[] = [];
  let line = "";
  const chars = Array.from(text.replace(/\r\n?/g, "\n"));
  for (const [i, char] of chars.entries()) {
    if (char === "\n") {
      out.push(line, "\r\n");
      line = "";
      continue;
    }
    const code = encodeChar(char, line === "", chars, i);
    if (line.length + code.length >= lineLimit) {
      out.push(line, softBreak);
      line = encodeChar(char, true, chars, i);
    } else line += code;
  }
  if (line !== "") out.push(line, softBreak);
  return out.join("");
}

/** A word cannot be folded, and a line ends at 998 characters (RFC 5322, 2.1.1). */
const longestWord = 900;

/** Printable ASCII that needs no encoding wherever it stands: the usual reader's value. */
const plainLine = /^[!-\-/-<>-EG-~][ -<>-~]*$/;

/** Printable ASCII without a space: a URL. */
const plainWord = /^[!-<>-~]+$/;

/** Such a word in lines. A dot at the start of a line is encoded. */
function wordLines(word: string): string {
  const out: string[] = [];
  for (let at = 0; at < word.length;) {
    const first = word[at] === "." ? "=2E" : word[at]!;
    const end = at + lineLimit - first.length;
    out.push(first, word.slice(at + 1, end), softBreak);
    at = end;
  }
  return out.join("");
}

function encodeChar(char: string, first: boolean, chars: string[], i: number): string {
  const code = char.codePointAt(0) ?? 0;
  if (char === " " || char === "\t") return chars[i + 1] === "\n" ? hex(code) : char;
  if (first && char === ".") return hex(code);
  if (first && char === "F" && chars.slice(i, i + 5).join("") === "From ") return hex(code);
  if (code > 32 && code < 127 && char !== "=") return char;
  return Array.from(Buffer.from(char, "utf8"), hex).join("");
}

function hex(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** The text that a quoted-printable body stands for. */
export function fromQuotedPrintable(body: string): string {
  const bytes = body
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, pair: string) => String.fromCharCode(Number.parseInt(pair, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8").replace(/\r\n/g, "\n");
}

/** A line of base64 holds this many bytes in 76 characters (RFC 2045, 6.8). */
const lineBytes = 57;

/**
 * The bytes in base64, in lines that each end with CRLF. Pieces can be joined if all but the last have a multiple of three
 * bytes.
 */
export function base64Lines(bytes: Buffer): string {
  const out: string[] = [];
  for (let at = 0; at < bytes.length; at += lineBytes) {
    out.push(bytes.toString("base64", at, Math.min(at + lineBytes, bytes.length)), "\r\n");
  }
  return out.join("");
}

/** The text as UTF-8 with CRLF line ends, as base64 encodes it. */
export function textBytes(text: string): Buffer {
  return Buffer.from(text.replace(/\r\n?|\n/g, "\r\n"), "utf8");
}

/** With spaces to a multiple of three bytes, before the last line end if there is one. */
export function padded(bytes: Buffer): Buffer {
  const missing = (3 - (bytes.length % 3)) % 3;
  if (missing === 0) return bytes;
  const end = bytes.subarray(-2).toString("latin1") === "\r\n" ? bytes.length - 2 : bytes.length;
  return Buffer.concat([bytes.subarray(0, end), Buffer.alloc(missing, " "), bytes.subarray(end)]);
}

/** The text that a base64 body stands for. */
export function fromBase64(body: string): string {
  return Buffer.from(body, "base64").toString("utf8").replace(/\r\n/g, "\n");
}

/** The encoding in which a text is smaller, and the text in it. */
export function encodedBody(text: string): { encoding: "quoted-printable" | "base64"; body: string } {
  const quoted = quotedPrintable(text);
  if (quoted.length <= base64Size(text)) return { encoding: "quoted-printable", body: quoted };
  return { encoding: "base64", body: base64Lines(textBytes(text)) };
}

/** Characters of the text in base64, with line ends. */
export function base64Size(text: string): number {
  return Math.ceil((Buffer.byteLength(text) / lineBytes) * 78);
}

/**
 * Unstructured header text (RFC 5322, 2.2.1), folded after `name`. Anything but plain ASCII, and anything that looks
 * like an encoded-word already, becomes encoded-words (RFC 2047: at most 75 characters each, lines at most 76, never
 * split inside a code point). The text must be one line.
 */
export function headerText(name: string, text: string): string {
  const first = name.length + 2;
  const plain =
    /^[ -~]*$/.test(text) && !text.includes("=?") && text.split(" ").every((word) => word.length < longestWord);
  return plain ? foldAtSpaces(text, first) : encodedWords(text, first).join("\r\n ");
}

/** A display name before an address or identifier (RFC 5322 phrase): an atom run, a quoted string or encoded-words. */
export function phrase(name: string, text: string): string {
  if (/^[\w!#$%&'*+/?^`{|}~ -]*$/.test(text) && !text.includes("=?")) return foldAtSpaces(text, name.length + 2);
  if (/^[ -~]*$/.test(text) && !text.includes("=?")) return `"${text.replace(/["\\]/g, "\\$&")}"`;
  return encodedWords(text, name.length + 2).join("\r\n ");
}

function foldAtSpaces(text: string, column: number): string {
  let at = column;
  return text
    .split(" ")
    .map((word, i) => {
      if (i === 0) {
        at += word.length;
        return word;
      }
      const fold = at + 1 + word.length > lineLimit && word !== "";
      at = fold ? 1 + word.length : at + 1 + word.length;
      return `${fold ? "\r\n " : " "}${word}`;
    })
    .join("");
}

function encodedWords(text: string, column: number): string[] {
  const words: string[] = [];
  let bytes: Buffer[] = [];
  let size = 0;
  const room = (): number => Math.floor(((words.length === 0 ? lineLimit - column : lineLimit - 1) - 12) / 4) * 3;
  const flush = (): void => {
    words.push(`=?UTF-8?B?${Buffer.concat(bytes).toString("base64")}?=`);
    bytes = [];
    size = 0;
  };
  for (const char of text) {
    const next = Buffer.from(char, "utf8");
    if (size > 0 && size + next.length > room()) flush();
    bytes.push(next);
    size += next.length;
  }
  if (size > 0) flush();
  return words;
}
