import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from "node:crypto";
import { Refusal } from "../base/errors.ts";
import type { ErrorCode } from "../texts/catalogue.ts";
import type { Clock } from "../base/clock.ts";
import type { Db } from "../db/schema.ts";
import { writeAudit } from "../audit/audit.ts";
import { endSessions, openSession, type Session } from "./sessions.ts";

/** 32 MiB and about 150 ms per attempt (OWASP Password Storage Cheat Sheet's third choice for scrypt). */
const cost = { logN: 15, r: 8, p: 3 };
const keyBytes = 32;
const leastLength = 12;
const mostLength = 256;

/** @returns the hash with its parameters and salt, for `checkPassword` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return formatHash(cost, salt, await derive(password, salt, cost));
}

/** Takes the same time without a hash: the password is then checked against a decoy. */
export async function checkPassword(password: string, hash: string | null): Promise<boolean> {
  const wanted = parseHash(hash ?? decoyOf(cost));
  const made = await derive(password, wanted.salt, wanted.cost);
  return timingSafeEqual(made, wanted.key) && hash !== null;
}

type Cost = typeof cost;

function formatHash({ logN, r, p }: Cost, salt: Buffer, key: Buffer): string {
  return `scrypt$${logN}$${r}$${p}$${salt.toString("base64url")}$${key.toString("base64url")}`;
}

function parseHash(hash: string): { cost: Cost; salt: Buffer; key: Buffer } {
  const [, logN, r, p, salt, key] = hash.split("$");
  return {
    cost: { logN: Number(logN), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt!, "base64url"),
    key: Buffer.from(key!, "base64url"),
  };
}

function decoyOf(of: Cost): string {
  return formatHash(of, Buffer.alloc(16), Buffer.alloc(keyBytes));
}

function derive(password: string, salt: Buffer, { logN, r, p }: Cost): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** logN, r, p, maxmem: 64 * 1024 * 1024 };
  const text = password.normalize("NFKC").slice(0, mostLength);
  return new Promise((resolve, reject) => {
    scrypt(text, salt, keyBytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** @throws Refusal 422 */
export async function demandPassword(row: { password: string | null }, password: string): Promise<void> {
  if (await checkPassword(password, row.password)) return;
  throw new Refusal(422, "current_password_wrong");
}

/** Recovery codes are random, so they need less work than passwords: 16 MiB, about 40 ms. */
const codeCost = { logN: 14, r: 8, p: 1 };

/** The hashes of one set of recovery codes. They share a salt, so `findCode` derives a single key. */
export async function hashCodes(codes: readonly string[]): Promise<string[]> {
  const salt = randomBytes(16);
  return Promise.all(
    codes.map(async (code) => formatHash(codeCost, salt, await derive(code.replace(/\D/g, ""), salt, codeCost))),
  );
}

/**
 * Finds a code among the hashes of one set. Takes the same time without hashes.
 * @param code its digits
 * @returns the index, or -1
 */
export async function findCode(code: string, hashes: readonly string[]): Promise<number> {
  const { salt, cost: ofSet } = parseHash(hashes[0] ?? decoyOf(codeCost));
  const made = await derive(code, salt, ofSet);
  return hashes.findIndex((hash) => timingSafeEqual(parseHash(hash).key, made));
}

/**
 * Refuses a new password if the repetition differs or `passwordFault` rejects it.
 * @param operator the name of the operator whose password it will be
 * @throws Refusal 422
 */
export async function demandNewPassword(
  typed: { password: string; repeated: string },
  operator: string,
  publication: { publicationName: string; publicUrl: string; mailFrom: { address: string } },
): Promise<void> {
  const { publicationName, publicUrl, mailFrom } = publication;
  if (typed.password !== typed.repeated) throw new Refusal(422, "passwords_differ");
  const known = [operator, publicationName, mailFrom.address, new URL(publicUrl).hostname];
  const fault = await passwordFault(typed.password, known);
  if (fault !== null) throw new Refusal(422, fault, { least: leastLength, most: mostLength });
}

/**
 * The code of what is wrong with a new password, or null. Length counts, kinds of characters do not (NIST SP 800-63B,
 * 3.1.1.2). Common passwords and words of the operator and the publication are refused, in any simple disguise
 * (ASVS 5.0, 6.2.4 and 6.2.11).
 * @param known names and addresses of the operator and the publication
 */
export async function passwordFault(password: string, known: readonly string[]): Promise<ErrorCode | null> {
  const text = password.normalize("NFKC").toLowerCase();
  if ([...text].length < leastLength) return "password_too_short";
  if (text.length > mostLength) return "password_too_long";
  if (new Set(text).size < 5 || isRun(text)) return "password_repetitive";
  const ranks = await (commonPasswords ??= loadCommonPasswords());
  const own = new Set(["Dayletter", ...known].flatMap(wordsOf).filter((word) => word.length >= 4));
  const free = (word: string): boolean => own.has(word);
  const listed = (word: string): boolean => ranks.has(word);
  const frequent = (word: string): boolean => (ranks.get(word) ?? Infinity) < pairRank;
  const longest = Math.max(longestListed, ...[...own].map((word) => word.length));
  const one = (form: string): boolean => leastLeft(form, { free, listed, longest, most: 1 }) < leastRest;
  const two = (form: string): boolean => leastLeft(form, { free, listed: frequent, longest, most: 2 }) < leastRest;
  const characters = [...text];
  const isLetter = (character: string): boolean => /\p{L}/u.test(character);
  const core = characters.slice(characters.findIndex(isLetter), characters.findLastIndex(isLetter) + 1).join("");
  const easy =
    disguises(text).some((form) => one(form) || two(form)) || (core.length >= leastRest && disguises(core).some(one));
  return easy ? "password_guessable" : null;
}

/** Minimum number of characters outside of common words. */
const leastRest = 6;
/** Two common passwords in a row are refused if both rank above this, so that four plain words stay valid. */
const pairRank = 5_000;

/** No listed password is longer. */
const longestListed = 20;

let commonPasswords: Promise<ReadonlyMap<string, number>> | null = null;

/** 49,000 leaked passwords by rank, loaded on first use. They are folded as one text for speed. */
async function loadCommonPasswords(): Promise<ReadonlyMap<string, number>> {
  const { dictionary } = await import("@zxcvbn-ts/language-common");
  const ranks = new Map<string, number>();
  for (const [rank, word] of fold(dictionary["passwords-common"].join("\n")).split("\n").entries())
    if (word.length >= 4 && !ranks.has(word)) ranks.set(word, rank);
  return ranks;
}

/** The whole name without spaces, and each of its words: "Ada Lovelace" gives adalovelace, ada and lovelace. */
function wordsOf(name: string): string[] {
  return [name, ...(name.match(/[\p{L}\p{N}]+/gu) ?? [])].map(fold);
}

/** The forms of a password in which a common one would show: folded, reversed, and once where it repeats. */
function disguises(text: string): string[] {
  const folded = fold(text);
  // A text that is some part repeated is found again in itself, shifted by that part.
  const once = folded.slice(0, (folded + folded).indexOf(folded, 1));
  return [once, [...once].toReversed().join("")];
}

/** Digits and signs that stand for letters; "1" stands for i and for l, so `fold` makes these one. */
const lookAlikes: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "!": "i",
  "|": "i",
  "3": "e",
  "4": "a",
  "@": "a",
  "5": "s",
  $: "s",
  "7": "t",
  "8": "b",
  "9": "g",
};

/** Lower case, look-alike characters as one, and no other punctuation. Passwords and words are compared in this form. */
function fold(text: string): string {
  const lower = text.normalize("NFKC").toLowerCase();
  return lower
    .replace(/[^\p{L}]/gu, (one) => lookAlikes[one] ?? one)
    .replaceAll("l", "i")
    .replace(/[^\p{L}\p{N}\n]/gu, "");
}

/**
 * The fewest characters of `text` that remain when words are taken out of it.
 * @param words.free words of which any number is taken out
 * @param words.listed words of which `most` are taken out
 */
function leastLeft(
  text: string,
  words: { free(word: string): boolean; listed(word: string): boolean; longest: number; most: number },
): number {
  // rest[used][end]: for the first `end` characters, with so many listed words taken out.
  const rest = Array.from({ length: words.most + 1 }, () => Array.from({ length: text.length + 1 }, () => Infinity));
  rest[0]![0] = 0;
  for (let end = 1; end <= text.length; end++) {
    for (const row of rest) row[end] = row[end - 1]! + 1;
    for (let start = Math.max(0, end - words.longest); start <= end - 4; start++) {
      const word = text.slice(start, end);
      const isFree = words.free(word);
      if (!isFree && !words.listed(word)) continue;
      for (const [used, row] of rest.entries()) {
        const before = isFree ? row[start]! : (rest[used - 1]?.[start] ?? Infinity);
        row[end] = Math.min(row[end]!, before);
      }
    }
  }
  return Math.min(...rest.map((row) => row.at(-1)!));
}

/** Such as `123456` or `fedcba`: each character is as far from the next. */
function isRun(text: string): boolean {
  const steps = new Set([...text].slice(1).map((character, i) => character.codePointAt(0)! - text.codePointAt(i)!));
  return steps.size <= 1;
}

interface Deps {
  db: Db;
  clock: Clock;
  options: Parameters<typeof demandNewPassword>[2];
}

/**
 * Changes an operator's own password and ends all sessions, including this one.
 * @returns the token of the new session
 * @throws Refusal 422
 */
export async function changePassword(
  { db, clock, options }: Deps,
  session: Session,
  request: { present: string; password: string; repeated: string; from: string; agent: string },
): Promise<string> {
  const { id, name } = session.operator;
  const row = await db.selectFrom("operators").select("password").where("id", "=", id).executeTakeFirstOrThrow();
  await demandPassword(row, request.present);
  await demandNewPassword(request, name, options);
  const password = await hashPassword(request.password);
  const now = clock.now();
  return db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable("operators")
      .set({ password })
      .where("id", "=", id)
      .where("password", "=", row.password)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new Refusal(409, "password_changed");
    await endSessions(tx, id);
    await writeAudit(tx, { at: now, actor: name, action: "operator password", subject: name });
    return openSession(tx, { operatorId: id, from: request.from, agent: request.agent }, now);
  });
}
