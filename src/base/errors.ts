import { englishWording, type ErrorCode } from "../wording/catalogue.ts";

/**
 * A request that cannot be fulfilled: a code with data. The catalogue has its sentence, under `error.CODE`. The web layer
 * answers an RFC 9457 problem document; the command line prints the sentence and exits with 1.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** HTTP status: 400 malformed, 401/403 not allowed, 404 not found, 409 conflicts with the present state, 413, 422. */
  readonly status: number;
  /** null for a refusal that is still a sentence of its own. */
  readonly code: ErrorCode | null;
  /** The values of the sentence, and more for programs, such as an entry for each refused line. */
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

/** Why something was refused, where nothing is thrown, such as one line of a list. */
export interface Reason {
  code: ErrorCode;
  details: Record<string, unknown>;
}

/** The sentence of a reason. */
export function sayReason(reason: Reason, wording = englishWording()): string {
  return wording.reason({ ...reason, message: reason.code });
}

const longestEcho = 60;

/** A 422 refusal of a value that somebody typed. Its sentence names it as `{value}`; a long value is cut. */
export function invalid(code: ErrorCode, value: string, details: Record<string, unknown> = {}): Refusal {
  return new Refusal(422, code, { value: echo(value), ...details });
}

/** A 422 refusal that reads `"25:00" is not a time of day from 00:00 to 23:59.`; a long value is cut. */
export function wrongValue(raw: string, expected: string): Refusal {
  return new Refusal(422, `"${echo(raw)}" is not ${expected}.`);
}

/** A typed value as it can stand between quotation marks: cut, with invisible characters escaped. */
export function echo(raw: string, longest = longestEcho): string {
  return JSON.stringify(raw.length > longest ? `${raw.slice(0, longest)}…` : raw).slice(1, -1);
}

/** The message of anything thrown, on one line. It can quote input and is stored, so it has no NUL and no lone surrogates. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text
    .replace(/[\s\p{Cc}]+/gu, " ")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .trim();
}
