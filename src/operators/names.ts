import { echo, Refusal } from "../base/errors.ts";

const longest = 60;

/** Normalises an operator's or token's name: one line without surrounding spaces. @throws Refusal 422 */
export function parseName(raw: string): string {
  const name = raw.normalize("NFC").replace(/\s+/g, " ").trim();
  if (name === "" || name.length > longest || /[\p{Cc}\p{Cf}<>"]/u.test(name)) {
    throw new Refusal(422, "name_invalid", { name: echo(raw), longest });
  }
  return name;
}

/** Names that differ only in case or width are the same. */
export function nameKey(raw: string): string {
  return raw.normalize("NFKC").replace(/\s+/g, " ").trim().toLowerCase();
}
