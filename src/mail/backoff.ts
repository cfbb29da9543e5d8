const minute = 60_000;

/** RFC 1123 §5.3.1.1: two retries in the first hour, then one every two or three hours; RFC 5321 §4.5.4.1: 30 minutes or more. */
const waits = [30, 30, 60, 90, 120, 150];
const longest = 180;

/**
 * The delay before a deferred delivery is retried.
 * @param attempts attempts made so far, 1 after the first
 * @returns milliseconds, without random jitter, so that the next attempt is predictable
 */
export function retryDelayMs(attempts: number): number {
  return (waits[Math.max(1, attempts) - 1] ?? longest) * minute;
}
