import { afterEach } from "vitest";

/** What a test has opened, closed after it. */
export interface Closing {
  /** Registers what closes one thing. The last one is closed first. */
  push(close: () => unknown): void;
}

/** Call once in a file. Closes whatever its tests have registered, after each of them. */
export function closedAfterEach(): Closing {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  }, 60_000);
  return { push: (close) => void closers.push(close) };
}
