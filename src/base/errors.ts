import { englishWording, type ErrorCode } from "../wording/catalogue.ts";

/**
 * Something a person asked for that cannot be done. It has a code and what belongs to it; the catalogue has the sentence,
 * under `error.CODE`. The web layer answers it as an RFC 9457 problem document; the command line says it and exits 1.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** HTTP status: 400 malformed, 401/403 not allowed, 404 not found, 409 conflicts with the present state, 413, 422. */
  readonly status: number;
  /** null for a refusal that is still a sentence of its own. */
  readonly code: ErrorCode | null;
  /** What the sentence names, and what programs may want besides, such as one entry for each refused line. */
  readonly details: Record<string, unknown>;

  constructor(status: number, code: ErrorCode | (string & {}), details: Record<string, unknown> = {}) {
    const known = isCode(code) ? code : null;
    super(known === null ? code : englishWording().say(`error.${known}`, details as never));
    this.status = status;
    this.code = known;
    this.details = details;
  }
}

function isCode(text: string): text is ErrorCode {
  return /^[a-z0-9_]+$/.test(text);
}

const longestEcho = 60;

/** A 422 refusal that reads `"25:00" is not a time of day from 00:00 to 23:59.`; a long value is cut. */
export function wrongValue(raw: string, expected: string): Refusal {
  return new Refusal(422, `"${echo(raw)}" is not ${expected}.`);
}

/** What somebody typed, to stand between quotation marks: cut, and with nothing in it that does not show. */
export function echo(raw: string, longest = longestEcho): string {
  return JSON.stringify(raw.length > longest ? `${raw.slice(0, longest)}…` : raw).slice(1, -1);
}

/** The message of anything thrown, on one line. It may quote what came from outside, and is stored: no NUL, no half characters. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text
    .replace(/[\s\p{Cc}]+/gu, " ")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .trim();
}
