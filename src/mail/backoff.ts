const minute = 60_000;

/** RFC 1123 §5.3.1.1: twice in the first hour, then every two or three hours; RFC 5321 §4.5.4.1: 30 minutes or more. */
const waits = [30, 30, 60, 90, 120, 150];
const longest = 180;

/**
 * How long a deferred delivery waits before it is tried again.
 * @param attempts attempts made so far, 1 after the first
 * @returns milliseconds; the same for the same number, so that a test or a person can foretell it
 */
export function retryDelayMs(attempts: number): number {
  return (waits[Math.max(1, attempts) - 1] ?? longest) * minute;
}
