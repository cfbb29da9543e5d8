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

  constructor(status: number, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

const longestEcho = 60;

/** A 422 refusal that reads `"25:00" is not a time of day from 00:00 to 23:59.`; a long value is cut. */
export function wrongValue(raw: string, expected: string): Refusal {
  const shown = raw.length > longestEcho ? `${raw.slice(0, longestEcho)}…` : raw;
  return new Refusal(422, `${JSON.stringify(shown)} is not ${expected}.`);
}

/** The message of anything thrown, on one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s+/g, " ").trim();
}
