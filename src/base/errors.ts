import type { ErrorCode } from "../texts/catalogue.ts";
import { oneLine } from "./text.ts";

/**
 * A request that cannot be fulfilled: a code with data. The catalogue has its sentence, under `error.CODE`, and surfaces say it:
 * the web layer in an RFC 9457 problem document, the command line before it exits with 1. Logs have the code and the data.
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
    super(Object.keys(details).length === 0 ? code : `${code} ${JSON.stringify(details).slice(0, longestDetails)}`);
    this.status = status;
    this.code = isCode(code) ? code : null;
    this.details = details;
  }
}

/** Characters of the details in a message: enough for a log. */
const longestDetails = 500;

function isCode(text: string): text is ErrorCode {
  return /^[a-z0-9_]+$/.test(text);
}

/** Why something was refused, where nothing is thrown, such as one line of a list. */
export interface Reason {
  code: ErrorCode;
  details: Record<string, unknown>;
}

/** A reason as it is stored: `text` is what a library or an older release said, without a code. */
export type StoredReason = Reason | { text: string };

export function storedReason(error: unknown): StoredReason {
  return error instanceof Refusal && error.code !== null
    ? { code: error.code, details: error.details }
    : { text: reasonOf(error) };
}

const longestEcho = 60;

/** A 422 refusal of a value that somebody typed. Its sentence names it as `{value}`; a long value is cut. */
export function invalid(code: ErrorCode, value: string, details: Record<string, unknown> = {}): Refusal {
  return new Refusal(422, code, { value: echo(value), ...details });
}

/** A typed value as it can stand between quotation marks: cut, with invisible characters escaped. */
export function echo(raw: string, longest = longestEcho): string {
  return JSON.stringify(raw.length > longest ? `${raw.slice(0, longest)}…` : raw).slice(1, -1);
}

/**
 * The message of anything thrown, on one line, for logs: of a Refusal the code and the data. It can quote input and is stored, so it has no NUL and no lone
 * surrogates.
 */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return oneLine(text);
}
