import { isActive, type EditionState } from "../editions/state.ts";
import type { EditionStatus } from "./status.ts";

/** The data for an edition's sentence. */
type EditionFacts = Pick<EditionStatus, "date" | "number" | "state" | "articles" | "selected" | "balance">;

/** The data for the sentence of a day without an edition. */
export interface DayFacts {
  now: Date;
  today: string;
  /** The next send; null when none is planned. */
  next: { date: string; at: Date } | null;
  /** Today's edition is due and its articles are being collected. */
  due: boolean;
  /** Today is a skipped send day. */
  skipped: boolean;
  /** Of today, local "HH:MM". */
  sendAt: string;
  /** Such as `12 minutes`. */
  inWords(ms: number): string;
  /** Such as `Wednesday 25 November`. */
  dayInWords(at: Date): string;
}

const pressing: readonly EditionState[] = ["held", "paused", "sending", "opening"];

/**
 * The editions on the page of a day: those of the date, and older ones that are still active.
 * @param editions newest first
 * @returns `lead` is the most urgent edition of the date, or null if the date has none yet
 */
export function editionsOfDay<E extends Pick<EditionFacts, "date" | "state">>(
  editions: readonly E[],
  today: string,
): { lead: E | null; others: E[] } {
  const todays = editions.filter(({ date }) => date === today);
  const lead = pressing.flatMap((state) => todays.filter((one) => one.state === state))[0] ?? todays[0] ?? null;
  return { lead, others: editions.filter((one) => one !== lead && (one.date === today || isActive(one.state))) };
}

/** Describes a day that has no edition yet. */
export function comingInWords({ due, next, today, skipped, sendAt, ...facts }: DayFacts): string {
  if (due) return "Today’s edition is due. Its last articles are being collected.";
  if (next === null) return "There is no edition today, and none is scheduled.";
  const wait = facts.inWords(next.at.getTime() - facts.now.getTime());
  if (next.date === today) return `Today’s edition will be sent at ${sendAt}, in ${wait}.`;
  const none = skipped ? "Today’s edition is skipped." : "There is no edition today.";
  return `${none} The next one will be sent on ${facts.dayInWords(next.at)}, in ${wait}.`;
}

/** Describes the progress of an edition. */
export function editionInWords(edition: EditionFacts, today: string): string {
  const { state, articles, selected, balance } = edition;
  const what = nameInWords(edition, today);
  const all = readers(selected);
  const sent = `${balance.sent.toLocaleString("en")} of ${all}`;
  switch (state) {
    case "opening":
      return `${what} is being prepared, with ${articles === 1 ? "1 article" : `${articles} articles`} for ${all}.`;
    case "held": {
      const waiting = selected - balance.skipped;
      return `${what} is held. ${readers(waiting)} will get it when you approve it.`;
    }
    case "sending":
      return `${what} is being sent. ${sent} ${balance.sent === 1 ? "has" : "have"} it.`;
    case "paused":
      return `${what} is paused. ${sent} ${balance.sent === 1 ? "has" : "have"} it.`;
    case "finished":
      if (selected === 0) return `${what} was sent to nobody because no reader follows any of its tags.`;
      if (balance.sent === selected) return `${what} was sent to ${selected === 1 ? "its only reader" : `all ${all}`}.`;
      return `${what} was sent to ${sent}.`;
    case "cancelled":
      if (balance.sent === 0) return `${what} was cancelled before it was sent.`;
      return `${what} was cancelled after it was sent to ${sent}.`;
    case "missed":
      return `${what} was missed.`;
    case "empty":
      return edition.number === 1
        ? "There were no articles for an edition today, so nothing was sent."
        : `${what} had no articles, so nothing more was sent.`;
  }
}

function nameInWords({ date, number }: EditionFacts, today: string): string {
  const day = date === today ? "Today’s" : `The ${date}`;
  return number === 1 ? `${day} edition` : `${day} extra edition (${number})`;
}

function readers(n: number): string {
  return n === 1 ? "1 reader" : `${n.toLocaleString("en")} readers`;
}
