import { createHmac, timingSafeEqual } from "node:crypto";

type Sent = { kind: "delivery"; editionId: number; id: number } | { kind: "notice"; id: number };

/** What an email's return path names: the email, and which address it went to. */
export type ReturnTarget = { fingerprint: Buffer } & Sent;

export interface ReturnOptions {
  secret: string;
  /** Its local part is short enough for the token, see `config/mail.ts`. */
  bounceAddress: string;
}

const kinds = ["delivery", "notice", "unsubscribe"] as const;
const editionBytes = 5;
const idBytes = 6;
const fingerprintBytes = 3;
const signedBytes = 1 + editionBytes + idBytes + fingerprintBytes;
/** As much of a reader's random key as there is room for. */
const keyBytes = signedBytes - 1;
const macBytes = 10;
const tokenLength = ((signedBytes + macBytes) * 8) / 5;

/**
 * The envelope sender of one email (VERP): a bounce to it identifies the email. The token is base32 (RFC 4648), because mail
 * servers may change the case of a local part. It is signed, so nobody else can make one.
 * @param address that the email goes to
 */
export function returnPath(options: ReturnOptions, about: Sent, address: string): string {
  const signed = Buffer.alloc(signedBytes);
  signed.writeUInt8(kinds.indexOf(about.kind), 0);
  signed.writeUIntBE(about.kind === "delivery" ? about.editionId : 0, 1, editionBytes);
  signed.writeUIntBE(about.id, 1 + editionBytes, idBytes);
  addressFingerprint(options.secret, address).copy(signed, signedBytes - fingerprintBytes);
  return seal(options, signed);
}

/** The envelope sender of an email: a return path of its own or, without BOUNCE_ADDRESS, the publication's sender. */
export function envelopeSender(
  { secret, bounceAddress }: { secret: string; bounceAddress: string | null },
  about: Sent,
  { from, to }: { from: string; to: string },
): string {
  return bounceAddress === null ? from : returnPath({ secret, bounceAddress }, about, to);
}

/** What a return path names, or null for any other address. */
export function readReturnPath(options: ReturnOptions, address: string): ReturnTarget | null {
  const signed = unseal(options, address);
  const kind = signed && kinds[signed[0]!];
  if (!signed || (kind !== "delivery" && kind !== "notice")) return null;
  const fingerprint = signed.subarray(signedBytes - fingerprintBytes);
  const id = signed.readUIntBE(1 + editionBytes, idBytes);
  if (kind === "notice") return { kind, id, fingerprint };
  return { kind, editionId: signed.readUIntBE(1, editionBytes), id, fingerprint };
}

/**
 * The address of one reader whose emails unsubscribe, as the `mailto:` URI of a List-Unsubscribe header (RFC 2369 §3.2). It is signed
 * like a return path. It names the reader's key, so it outlives a change of the reader's address.
 */
export function unsubscribeMailto(options: ReturnOptions, key: Buffer): string {
  const address = seal(options, Buffer.concat([Buffer.of(kinds.indexOf("unsubscribe")), key.subarray(0, keyBytes)]));
  // RFC 6068 §2. A plus sign may stay as it is, and not all email programs decode it.
  return `mailto:${encodeURI(address).replace(/[#&/=?]/g, encodeURIComponent)}?subject=unsubscribe`;
}

/** The first bytes of the key of the reader whose emails to this address unsubscribe, or null for any other address. */
export function readUnsubscribeAddress(options: ReturnOptions, address: string): Buffer | null {
  const signed = unseal(options, address);
  return signed && kinds[signed[0]!] === "unsubscribe" ? signed.subarray(1) : null;
}

function seal({ secret, bounceAddress }: ReturnOptions, signed: Buffer): string {
  const at = bounceAddress.lastIndexOf("@");
  const token = toBase32(Buffer.concat([signed, mac(secret, signed)]));
  return `${bounceAddress.slice(0, at)}+${token}${bounceAddress.slice(at)}`;
}

function unseal({ secret, bounceAddress }: ReturnOptions, address: string): Buffer | null {
  const at = bounceAddress.lastIndexOf("@");
  const given = address.toLowerCase();
  const [before, after] = [`${bounceAddress.slice(0, at)}+`.toLowerCase(), bounceAddress.slice(at).toLowerCase()];
  const token = given.slice(before.length, before.length + tokenLength);
  if (given !== `${before}${token}${after}` || !/^[a-z2-7]+$/.test(token) || token.length !== tokenLength) return null;
  const bytes = fromBase32(token);
  const signed = bytes.subarray(0, signedBytes);
  return timingSafeEqual(bytes.subarray(signedBytes), mac(secret, signed)) ? signed : null;
}

/** Enough of a keyed hash of an address to notice that its reader has changed it since. */
export function addressFingerprint(secret: string, address: string): Buffer {
  const hash = createHmac("sha256", secret).update(`return-path-address:${address.toLowerCase()}`).digest();
  return hash.subarray(0, fingerprintBytes);
}

function mac(secret: string, signed: Buffer): Buffer {
  return createHmac("sha256", secret).update("return-path:").update(signed).digest().subarray(0, macBytes);
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

function toBase32(bytes: Buffer): string {
  let bits = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (let i = 0; i < tokenLength; i++) {
    text = alphabet[Number(bits & 31n)]! + text;
    bits >>= 5n;
  }
  return text;
}

function fromBase32(text: string): Buffer {
  let bits = 0n;
  for (const one of text) bits = (bits << 5n) | BigInt(alphabet.indexOf(one));
  return Buffer.from(bits.toString(16).padStart((signedBytes + macBytes) * 2, "0"), "hex");
}
