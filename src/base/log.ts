/**
 * What the program needs of a logger; pino is one. Fields first, then a sentence. Fields hold ids, counts and reasons,
 * never an address or a token.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A log that nobody reads, for tests and for one-off commands. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}
