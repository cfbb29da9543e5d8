import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from "node:crypto";

/** 32 MiB and some 150 ms a try (OWASP Password Storage Cheat Sheet's third choice for scrypt). */
const cost = { logN: 15, r: 8, p: 3 };
const keyBytes = 32;
const leastLength = 12;
const mostLength = 256;

/** @returns the hash with its parameters and salt, as `checkPassword` takes it */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, cost);
  return `scrypt$${cost.logN}$${cost.r}$${cost.p}$${salt.toString("base64url")}$${key.toString("base64url")}`;
}

/** Takes the same time whether there is a hash or not: without one, a password is checked in vain. */
export async function checkPassword(password: string, hash: string | null): Promise<boolean> {
  const [, logN, r, p, salt, key] = (hash ?? decoy).split("$");
  const wanted = Buffer.from(key!, "base64url");
  const made = await derive(password, Buffer.from(salt!, "base64url"), {
    logN: Number(logN),
    r: Number(r),
    p: Number(p),
  });
  return timingSafeEqual(made, wanted) && hash !== null;
}

const decoy = `scrypt$${cost.logN}$${cost.r}$${cost.p}$${"A".repeat(22)}$${"A".repeat(43)}`;

function derive(password: string, salt: Buffer, { logN, r, p }: typeof cost): Promise<Buffer> {
  const options: ScryptOptions = { N: 2 ** logN, r, p, maxmem: 64 * 1024 * 1024 };
  const text = password.normalize("NFKC").slice(0, mostLength);
  return new Promise((resolve, reject) => {
    scrypt(text, salt, keyBytes, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/**
 * What is wrong with a new password, in one sentence, or null. Length counts, kinds of characters do not
 * (NIST SP 800-63B, 3.1.1.2); what is tried first by anybody who guesses is refused.
 * @param known words that belong to the operator or the publication
 */
export function passwordFault(password: string, known: readonly string[]): string | null {
  const text = password.normalize("NFKC");
  if ([...text].length < leastLength)
    return `The password is too short: use ${leastLength} characters or more, such as four words.`;
  if (text.length > mostLength) return `The password is too long: use at most ${mostLength} characters.`;
  if (new Set(text.toLowerCase()).size < 5)
    return "The password repeats a few characters: use four words that have nothing to do with each other.";
  let rest = text.toLowerCase();
  for (const word of [...commonWords, ...known.map((one) => one.normalize("NFKC").toLowerCase())]) {
    if (word.length >= 4) rest = rest.replaceAll(word, "");
  }
  if (isRun(rest) || [...rest].length < 6)
    return "The password is among the first that anybody would try: use four words that have nothing to do with each other.";
  return null;
}

/** What lists of leaked passwords are made of. Words of fewer than four letters would spoil good passwords. */
const commonWords = [
  "password",
  "passwort",
  "passw0rd",
  "p@ssword",
  "p@ssw0rd",
  "welcome",
  "letmein",
  "iloveyou",
  "qwertyuiop",
  "qwerty",
  "qwertz",
  "azerty",
  "asdfghjkl",
  "asdfgh",
  "zxcvbnm",
  "admin",
  "administrator",
  "dayletter",
  "changeme",
  "secret",
  "monkey",
  "dragon",
  "sunshine",
  "princess",
  "football",
  "baseball",
  "superman",
  "trustno1",
  "123456789",
  "12345678",
  "123456",
  "1234",
  "abcd",
  "2024",
  "2025",
  "2026",
  "2027",
].toSorted((a, b) => b.length - a.length);

/** Such as `123456` or `fedcba`: each character is as far from the next. */
function isRun(text: string): boolean {
  const steps = new Set([...text].slice(1).map((character, i) => character.codePointAt(0)! - text.codePointAt(i)!));
  return steps.size <= 1;
}
