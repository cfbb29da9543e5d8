/** A message or a part of one (RFC 2045). */
export interface Entity {
  /** Header fields as they are, with lines that end in `\n`. */
  head: string;
  /** Header fields by name in lower case, unfolded; the first of each name. */
  headers: Map<string, string>;
  /** Without parameters, in lower case. */
  type: string;
  /** Decoded; empty for a multipart. */
  body: string;
  parts: Entity[];
}

/** More are not read: no report has so many. */
const deepest = 5;
const mostParts = 50;
const mostFields = 500;

/** Reads MIME. Never throws, and takes time in proportion to the length. @param raw of a limited size */
export function readMessage(raw: Buffer): Entity {
  return readEntity(raw.toString("utf8").replaceAll("\r\n", "\n"), 0);
}

function readEntity(text: string, depth: number): Entity {
  const end = text.startsWith("\n") ? 0 : text.indexOf("\n\n");
  const head = end < 0 ? text : text.slice(0, end);
  const headers = readFields(head);
  const content = end < 0 ? "" : text.slice(end).replace(/^\n{1,2}/, "");
  const about = headers.get("content-type") ?? "text/plain";
  const type = (/^\s*([\w.+-]{1,50}\/[\w.+-]{1,50})/.exec(about)?.[1] ?? "text/plain").toLowerCase();
  const boundary = /;\s*boundary\s*=\s*(?:"([^"\n]{1,200})"|([^\s;"]{1,200}))/i.exec(about);
  if (type.startsWith("multipart/") && boundary && depth < deepest) {
    const parts = split(content, boundary[1] ?? boundary[2]!).slice(0, mostParts);
    return { head, headers, type, body: "", parts: parts.map((part) => readEntity(part, depth + 1)) };
  }
  return { head, headers, type, body: decode(content, headers.get("content-transfer-encoding") ?? ""), parts: [] };
}

/** An entity and all its parts. */
export function flatten(entity: Entity): Entity[] {
  return [entity, ...entity.parts.flatMap(flatten)];
}

/** RFC 2046 §5.1: what stands between the lines of the boundary. */
function split(content: string, boundary: string): string[] {
  const parts: string[][] = [];
  for (const line of content.split("\n")) {
    if (line.startsWith(`--${boundary}`)) {
      if (line.startsWith(`--${boundary}--`)) break;
      parts.push([]);
    } else parts.at(-1)?.push(line);
  }
  return parts.map((lines) => lines.join("\n"));
}

function decode(content: string, encoding: string): string {
  const name = encoding.trim().toLowerCase();
  if (name === "base64") return Buffer.from(content, "base64").toString("utf8").replaceAll("\r\n", "\n");
  if (name !== "quoted-printable") return content;
  return quotedBytes(content.replace(/=[ \t]{0,20}\n/g, "")).toString("utf8");
}

function quotedBytes(text: string): Buffer {
  const parts = Buffer.from(text, "utf8").toString("latin1");
  const bytes = parts.replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1");
}

/** The header fields of a message. Takes linear time. */
export function readHeaders(raw: Buffer): Map<string, string> {
  const end = raw.indexOf("\r\n\r\n");
  return readFields(raw.toString("utf8", 0, end < 0 ? raw.length : end).replaceAll("\r\n", "\n"));
}

/** Header fields by name in lower case, unfolded; the first of each name counts. */
export function readFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = "";
  let count = 0;
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (/^[ \t]/.test(line)) {
      if (last !== "") fields.set(last, `${fields.get(last)!} ${line.trim()}`);
    } else if (colon > 0 && (count += 1) <= mostFields) {
      const name = line.slice(0, colon).trim().toLowerCase();
      last = fields.has(name) ? "" : name;
      if (last !== "") fields.set(name, line.slice(colon + 1).trim());
    } else last = "";
  }
  return fields;
}

/** The text of a message for people, without markup; empty without one. */
export function textOf(all: readonly Entity[]): string {
  const plain = all.find(({ type }) => type === "text/plain");
  if (plain) return plain.body;
  const html = all.find(({ type }) => type === "text/html")?.body ?? "";
  return html
    .replace(/<(?:br|p|div|tr|li)\b[^<>]*>/gi, "\n")
    .replace(/<[^<>]*>/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}

/** Decodes the encoded words of a header field (RFC 2047). */
export function decodeWords(text: string): string {
  return text
    .replace(/\?=\s{1,20}=\?/g, "?==?")
    .replace(
      /=\?([\w-]{1,40})\?([bq])\?([^?\s]{0,200})\?=/gi,
      (word, charset: string, encoding: string, data: string) => {
        const encoded =
          encoding.toLowerCase() === "b" ? Buffer.from(data, "base64") : quotedBytes(data.replaceAll("_", " "));
        try {
          return new TextDecoder(charset).decode(encoded);
        } catch {
          return word;
        }
      },
    );
}
