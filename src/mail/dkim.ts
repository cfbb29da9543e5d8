import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { Refusal } from "../base/errors.ts";

/** A key that signs, and where its public half is published. */
export interface DkimKey {
  /** `d=`, in lower case. */
  domain: string;
  /** `s=`: the record is at `selector._domainkey.domain`. */
  selector: string;
  algorithm: "rsa-sha256" | "ed25519-sha256";
  key: KeyObject;
}

/**
 * Fields that are signed where a message has them: RFC 6376 §5.4.1, and those that mailbox providers ask for (RFC 8058 §4 for
 * List-Unsubscribe-Post, Gmail for Feedback-ID). Not Return-Path or Received, which relays change.
 */
const signedFields = new Set(
  (
    "from reply-to to cc subject date message-id in-reply-to references sender mime-version content-type " +
    "content-transfer-encoding content-language list-id list-unsubscribe list-unsubscribe-post feedback-id " +
    "auto-submitted precedence x-auto-response-suppress"
  ).split(" "),
);

/** Shorter RSA keys verify nowhere (RFC 8301 §3.2). */
const shortestRsa = 1024;
const domainName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9-]{1,63})+$/;
const selectorName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9-]{1,63})*$/;

/**
 * Reads a private key in PEM.
 * @throws Refusal 422 for a wrong domain or selector, and for a key that is not RSA with 1,024 bits or more, or Ed25519
 */
export function readDkimKey(entry: { domain: string; selector: string; pem: string; file: string }): DkimKey {
  const domain = entry.domain.toLowerCase();
  const selector = entry.selector.toLowerCase();
  if (!domainName.test(domain)) throw new Refusal(422, "dkim_domain_invalid", { domain });
  if (!selectorName.test(selector)) throw new Refusal(422, "dkim_selector_invalid", { selector });
  const { file } = entry;
  let key: KeyObject;
  try {
    key = createPrivateKey(entry.pem);
  } catch {
    throw new Refusal(422, "dkim_key_unreadable", { file });
  }
  if (key.asymmetricKeyType === "ed25519") return { domain, selector, algorithm: "ed25519-sha256", key };
  if (key.asymmetricKeyType !== "rsa")
    throw new Refusal(422, "dkim_key_unknown_type", { file, type: String(key.asymmetricKeyType) });
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < shortestRsa) throw new Refusal(422, "dkim_key_too_short", { file, bits, least: shortestRsa });
  return { domain, selector, algorithm: "rsa-sha256", key };
}

/** The DNS record of a key: where, and the text to publish (RFC 6376 §3.6.1, RFC 8463 §4). */
export function dkimRecord({ domain, selector, key }: DkimKey): { name: string; value: string } {
  const published = createPublicKey(key);
  const spki = published.export({ type: "spki", format: "der" });
  // Ed25519 is published as the bare 32 bytes, which are the end of its SPKI form.
  const bare = key.asymmetricKeyType === "ed25519" ? spki.subarray(-32) : spki;
  const type = key.asymmetricKeyType === "ed25519" ? "ed25519" : "rsa";
  return { name: `${selector}._domainkey.${domain}`, value: `v=DKIM1; k=${type}; p=${bare.toString("base64")}` };
}

/** A record as a zone file writes it: strings of at most 255 bytes (RFC 1035 §3.3). */
export function zoneLine({ name, value }: { name: string; value: string }): string {
  const strings = value.match(/.{1,255}/g) ?? [];
  return `${name}. IN TXT ( ${strings.map((text) => `"${text}"`).join(" ")} )`;
}

/** What is wrong with a published record. */
export type DkimRecordFault = "missing" | "several" | "malformed" | "revoked" | "other_type" | "other_key";

/**
 * Compares the published TXT records with a key.
 * @param records the strings of each record joined, as `dns.resolveTxt` gives them
 */
export function checkDkimRecord(key: DkimKey, records: readonly string[]): DkimRecordFault | null {
  const [record, ...more] = records.filter((text) => /(?:^|;)\s*(?:p\s*=|v\s*=\s*DKIM)/.test(text));
  if (record === undefined) return "missing";
  if (more.length > 0) return "several";
  const tags = tagList(record);
  const version = tags.get("v");
  const published = tags.get("p");
  if (published === undefined || (version !== undefined && version !== "DKIM1")) return "malformed";
  if (published === "") return "revoked";
  const own = tagList(dkimRecord(key).value);
  if ((tags.get("k") ?? "rsa") !== own.get("k")) return "other_type";
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(published)) return "malformed";
  return Buffer.from(published, "base64").equals(Buffer.from(own.get("p")!, "base64")) ? null : "other_key";
}

/** A tag list (RFC 6376 §3.2) without white space in its values. */
function tagList(text: string): Map<string, string> {
  const pairs = text.split(";").flatMap((part): [string, string][] => {
    const at = part.indexOf("=");
    return at === -1 ? [] : [[part.slice(0, at).trim(), part.slice(at + 1).replace(/\s+/g, "")]];
  });
  return new Map(pairs);
}

/**
 * The DKIM-Signature fields of a message, one for each key, to stand before it: relaxed/relaxed, From oversigned so that none
 * can be added. The signing itself runs in Node's thread pool.
 * @param message the whole message with CRLF line ends
 * @param at becomes `t=`
 */
export async function dkimSignatures(keys: readonly DkimKey[], message: Buffer, at: Date): Promise<Buffer> {
  const end = message.indexOf("\r\n\r\n");
  const head = end === -1 ? message : message.subarray(0, end + 2);
  const bodyHash = hashBody(end === -1 ? Buffer.alloc(0) : message.subarray(end + 4));
  const fields = signedFieldsIn(head.toString("latin1"));
  const signed = canonicalHead(fields);
  // Each name as often as the message has it; "from" once more, for a field that is not there (RFC 6376 §5.4.2).
  const listed = folded([...fields.map(({ name }) => name), "from"]);
  const seconds = Math.floor(at.getTime() / 1_000);
  const lines = await Promise.all(
    keys.map(async (key) => {
      const unsigned =
        `v=1; a=${key.algorithm}; c=relaxed/relaxed; d=${key.domain};\r\n s=${key.selector}; t=${seconds};\r\n` +
        ` h=${listed};\r\n bh=${bodyHash};\r\n b=`;
      const data = `${signed}dkim-signature:${relaxed(unsigned)}`;
      const signature = await signData(key, Buffer.from(data, "latin1"));
      return `DKIM-Signature: ${unsigned}${signature.toString("base64").replace(/.{72}(?=.)/g, "$&\r\n ")}\r\n`;
    }),
  );
  return Buffer.from(lines.join(""), "latin1");
}

/** Ed25519 signs the hash (RFC 8463 §3), RSA the text. */
function signData({ algorithm, key }: DkimKey, data: Buffer): Promise<Buffer> {
  const [digest, input] =
    algorithm === "ed25519-sha256" ? [null, createHash("sha256").update(data).digest()] : ["sha256", data];
  return new Promise((resolve, reject) => {
    sign(digest, input, key, (error, signature) => (error ? reject(error) : resolve(signature)));
  });
}

interface Field {
  /** In lower case. */
  name: string;
  /** The whole field in relaxed form (RFC 6376 §3.4.2), with its line end. */
  relaxed: string;
}

/** The fields of a head that are signed, in their order. */
function signedFieldsIn(head: string): Field[] {
  return head.split(/\r\n(?![ \t])/).flatMap((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trimEnd().toLowerCase();
    return signedFields.has(name) ? [{ name, relaxed: `${name}:${relaxed(line.slice(colon + 1))}\r\n` }] : [];
  });
}

/** Of several fields with one name, the lowest comes first (RFC 6376 §5.4.2). */
function canonicalHead(fields: readonly Field[]): string {
  const byName = new Map<string, string[]>();
  for (const field of fields) {
    const same = byName.get(field.name);
    if (same === undefined) byName.set(field.name, [field.relaxed]);
    else same.push(field.relaxed);
  }
  return fields.map(({ name }) => byName.get(name)!.pop()!).join("");
}

/** A field's value in relaxed form (RFC 6376 §3.4.2). Not `trim`, which also takes bytes of UTF-8 for white space. */
function relaxed(value: string): string {
  const line = /[\r\t]|  /.test(value) ? value.replaceAll("\r\n", "").replace(/[ \t]+/g, " ") : value;
  return line.slice(line.startsWith(" ") ? 1 : 0, line.endsWith(" ") ? -1 : undefined);
}

function folded(names: readonly string[]): string {
  let line = " h=".length;
  return names
    .map((name, i) => {
      const text = i === 0 ? name : `:${name}`;
      if (line + text.length > 74) {
        line = text.length;
        return `:\r\n  ${name}`;
      }
      line += text.length;
      return text;
    })
    .join("");
}

function hashBody(body: Buffer): string {
  const relaxedBytes = relaxedBody(body);
  let end = relaxedBytes.length;
  while (end >= 2 && relaxedBytes[end - 1] === lf && relaxedBytes[end - 2] === cr) end -= 2;
  const hash = createHash("sha256");
  // A body that is not empty ends with one CRLF, which is mostly there.
  if (end > 0 && end < relaxedBytes.length) hash.update(relaxedBytes.subarray(0, end + 2));
  else if (end > 0) hash.update(relaxedBytes).update("\r\n");
  return hash.digest("base64");
}

const [tab, lf, cr, space] = [9, 10, 13, 32];

/**
 * The body in relaxed form (RFC 6376 §3.4.4), but with its empty lines at the end. What our encoders write has few runs of
 * white space, so they are searched for and the rest is copied as it is.
 */
function relaxedBody(body: Buffer): Buffer {
  const searches = ["  ", "\t", " \r\n"].map((text) => ({ text, at: -1 }));
  const next = (from: number): number => {
    for (const search of searches) {
      if (search.at >= from) continue;
      const found = body.indexOf(search.text, from);
      search.at = found === -1 ? body.length : found;
    }
    return Math.min(...searches.map(({ at }) => at));
  };
  let found = next(0);
  if (found === body.length && body[found - 1] !== space) return body;
  const out = Buffer.allocUnsafe(body.length);
  let written = 0;
  let read = 0;
  while (found < body.length) {
    // The run may begin with one space before a tab.
    if (found > read && body[found - 1] === space) found -= 1;
    written += body.copy(out, written, read, found);
    read = found;
    while (body[read] === space || body[read] === tab) read += 1;
    if (read < body.length && !(body[read] === cr && body[read + 1] === lf)) {
      out[written] = space;
      written += 1;
    }
    found = next(read);
  }
  written += body.copy(out, written, read);
  return out.subarray(0, written > 0 && out[written - 1] === space ? written - 1 : written);
}
