import { inEnglish, type Sentence } from "./sentence.ts";

/**
 * Something a person asked for that cannot be done, said in one sentence: what was wrong, where, and what to do.
 * The web layer answers it as an RFC 9457 problem document with `status`; the command line prints `message` and exits 1.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** HTTP status: 400 malformed, 401/403 not allowed, 404 not found, 409 conflicts with the present state, 413, 422. */
  readonly status: number;
  /** Machine-readable details, such as one entry per refused line. */
  readonly details: Record<string, unknown>;
  /** What readers are told, on pages in other languages; null where only developers and operators get to see it. */
  readonly sentence: Sentence | null;

  constructor(status: number, message: string | Sentence, details: Record<string, unknown> = {}) {
    super(typeof message === "string" ? message : inEnglish(message));
    this.sentence = typeof message === "string" ? null : message;
    this.status = status;
    this.details = details;
  }
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
