import { Temporal } from "temporal-polyfill";
import { isMostlySoft, type Fate } from "./soft-row.ts";
import { answerDays, type QuestionCause, type QuestionOutcome } from "../db/values.ts";
import type { Askable, OpenQuestion } from "../subscribers/questions.ts";

const dayMs = 24 * 3_600_000;

/** Readers whose emails bounce are asked again after so many months, and others after those of the setting. */
const monthsAfterBounces = 6;
/** When a question is asked again whose email could not be sent. */
const daysAfterFailure = 30;

/** The rules of a publication. */
export interface QuestionPolicy {
  /** Readers who have done nothing for so many months are asked; 0 for none. */
  months: number;
}

/** The time so many months before `now`. */
export function monthsBefore(now: Date, months: number): Date {
  const then = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO("UTC").subtract({ months });
  return new Date(then.epochMilliseconds);
}

/**
 * Why an active reader is asked whether they still want the emails; null if they are not. Nobody is asked who is pausing, who was
 * asked not long ago, or whose address has been reported as not existing.
 * @param fates what became of the reader's emails of the last 30 days, the newest first
 */
export function whyAsk(
  reader: Omit<Askable, "id" | "address">,
  fates: readonly Fate[],
  { months }: QuestionPolicy,
  now: Date,
): QuestionCause | null {
  if (reader.pausedSince !== null || (reader.pausedUntil !== null && reader.pausedUntil > now)) return null;
  if (fates.some(({ bounced }) => bounced === "hard")) return null;
  if (isMostlySoft(fates, now) && mayAskAgain(reader, monthsAfterBounces, now)) return "bounces";
  if (months === 0 || reader.actedAt > monthsBefore(now, months)) return null;
  return mayAskAgain(reader, months, now) ? "silence" : null;
}

function mayAskAgain({ lastQuestion }: Pick<Askable, "lastQuestion">, months: number, now: Date): boolean {
  if (lastQuestion === null) return true;
  const { askedAt, sentAt, outcome } = lastQuestion;
  if (outcome === null) return false;
  if (sentAt === null) return now.getTime() - askedAt.getTime() >= daysAfterFailure * dayMs;
  return sentAt <= monthsBefore(now, months);
}

/**
 * What becomes of an open question; null while it stays open. Without an answer within 30 days after its email was sent, the reader
 * is paused, unless the cause is gone: the emails arrive again, or the publication has stopped asking.
 * @param fates what became of the reader's emails of the last 30 days, the newest first
 */
export function endOf(
  { status, cause, sentAt, notice }: Omit<OpenQuestion, "id" | "reader">,
  fates: readonly Fate[],
  { months }: QuestionPolicy,
  now: Date,
): QuestionOutcome | null {
  if (status === "unsubscribed") return "unsubscribed";
  if (status !== "active" || (cause === "silence" && months === 0)) return "dropped";
  if (sentAt === null) return notice !== null && underWay.has(notice) ? null : "dropped";
  if (now.getTime() - sentAt.getTime() < answerDays * dayMs) return null;
  return cause === "bounces" && !isMostlySoft(fates, now) ? "dropped" : "paused";
}

const underWay = new Set(["pending", "sending", "deferred", "sent"]);

/** How many readers may be asked a day: all of the list over a month, and a short list at once. */
export function mostPerDay(activeReaders: number): number {
  return Math.max(1_000, Math.ceil(activeReaders / 30));
}
