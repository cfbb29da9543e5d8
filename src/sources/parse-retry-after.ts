import { readFeedDate } from "./feed-date.ts";

const longestMs = 24 * 3_600_000;

/**
 * The earliest time for the next request: a number of seconds or a date (RFC 9110 §10.2.3). At most a day from now,
 * because a wrong clock must not stop a feed for years. null if it is invalid or in the past.
 */
export function parseRetryAfter(raw: string | undefined, now: Date): Date | null {
  const text = raw?.trim() ?? "";
  const at = /^\d+$/.test(text)
    ? now.getTime() + Math.min(Number(text) * 1_000, longestMs)
    : readFeedDate(text, "UTC")?.at.getTime();
  if (at === undefined || at <= now.getTime()) return null;
  return new Date(Math.min(at, now.getTime() + longestMs));
}
