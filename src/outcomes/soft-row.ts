import type { BounceKind } from "./bounce-kind.ts";

/** What became of one email to a reader. */
export interface Fate {
  at: Date;
  /** How it bounced or was refused; null if it has not bounced. */
  bounced: BounceKind | null;
  /** Whether the server said that the mailbox is disabled. */
  disabled: boolean;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** A mailbox that is full for a week, or away for longer, is seldom read again. */
const longRow = 7;
const longTimeMs = 7 * dayMs;
/** A disabled mailbox can be a mistake or a limit of the rate (support.google.com/a/answer/3726730), but hardly on two days. */
const disabledRow = 2;
const nextDayMs = 12 * hourMs;
/** RFC 5321 §4.5.4.1: a server may try for four to five days before it returns an email. */
const patienceMs = 5 * dayMs;

/**
 * Whether a reader's mailbox is given up. Their last emails have all bounced softly, 7 of them over at least 7 days, or the last two
 * because the mailbox is disabled. One that has not bounced ends the row, but the youngest can still come back. One that was
 * refused because of its sender or content says nothing.
 * @param fates the newest first
 */
export function isGivenUp(fates: readonly Fate[], now: Date): boolean {
  const rest = telling(fates, now);
  const row = rest.slice(0, lengthWhile(rest, isSoft));
  const disabled = row.slice(
    0,
    lengthWhile(row, (one) => one.disabled),
  );
  return isLong(row, longRow, longTimeMs) || isLong(disabled, disabledRow, nextDayMs);
}

const isSoft = ({ bounced }: Fate): boolean => bounced === "soft";

function lengthWhile<T>(all: readonly T[], holds: (one: T) => boolean): number {
  const end = all.findIndex((one) => !holds(one));
  return end < 0 ? all.length : end;
}

function isLong(row: readonly Fate[], count: number, ms: number): boolean {
  return row.length >= count && row[0]!.at.getTime() - row.at(-1)!.at.getTime() >= ms;
}

/** Over so many days `isMostlySoft` looks back. */
export const softDays = 30;
/** Of an edition a week, so many have had the time to come back. */
export const fewestSoft = 3;
const softTimeMs = 14 * dayMs;

/**
 * Whether most of a reader's emails of the last 30 days have bounced softly: at least 3 over at least 14 days, more than half of those
 * that tell, and the last one that tells. So the mailbox may take an email now and then, and `isGivenUp` never holds.
 * @param fates of the last 30 days, the newest first
 */
export function isMostlySoft(fates: readonly Fate[], now: Date): boolean {
  const rest = telling(fates, now);
  const soft = rest.filter(isSoft);
  return (
    rest[0]?.bounced === "soft" &&
    soft.length >= fewestSoft &&
    soft.length * 2 > rest.length &&
    soft[0]!.at.getTime() - soft.at(-1)!.at.getTime() >= softTimeMs
  );
}

/** The emails that say something about the mailbox, from the newest on whose outcome is known. */
function telling(fates: readonly Fate[], now: Date): readonly Fate[] {
  const told = fates.filter(({ bounced }) => bounced !== "policy");
  const begin = told.findIndex(({ at, bounced }) => bounced !== null || now.getTime() - at.getTime() >= patienceMs);
  return begin < 0 ? [] : told.slice(begin);
}

/** So many of a reader's emails are enough to tell, also for those that get several editions a day. */
export const lookedBack = 60;

/** RFC 3463: 5.2.1 is a disabled mailbox, and 5.7.13 a disabled account (RFC 5248 §2.4). */
export function saysDisabled(said: string): boolean {
  return /(?:^|\s)5\.(?:2\.1|7\.13)(?=\s|$)/.test(said);
}
