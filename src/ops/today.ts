import type { EditionStatus } from "./status.ts";

/** What the sentence of the day is made of. */
export interface DayFacts {
  now: Date;
  today: string;
  /** The one of today that matters most now, if there is any. */
  edition: Pick<EditionStatus, "number" | "state" | "articles" | "selected" | "balance"> | null;
  /** The next send; null when none is planned. */
  next: { date: string; at: Date } | null;
  /** Today's hour has come and its edition is being gathered. */
  due: boolean;
  sendAt: string;
  /** Such as `12 minutes`. */
  inWords(ms: number): string;
  /** Such as `Wednesday 25 November`. */
  dayInWords(at: Date): string;
}

/** The state of today's edition in one sentence. */
export function todayInWords(facts: DayFacts): string {
  const { edition, next, today } = facts;
  if (edition) return ofEdition(edition);
  if (facts.due) return "Today’s edition is due now: its last articles are being gathered.";
  if (next === null) return "There is no edition today, and none is planned.";
  const wait = facts.inWords(next.at.getTime() - facts.now.getTime());
  if (next.date === today) return `Today’s edition goes out at ${facts.sendAt}, in ${wait}.`;
  return `There is no edition today. The next goes out on ${facts.dayInWords(next.at)}, in ${wait}.`;
}

function ofEdition({ number, state, articles, selected, balance }: NonNullable<DayFacts["edition"]>): string {
  const what = number === 1 ? "Today’s edition" : `Today’s extra edition (${number})`;
  const all = readers(selected);
  const sent = `${balance.sent.toLocaleString("en")} of ${all}`;
  switch (state) {
    case "opening":
      return `${what} is being made: ${articles === 1 ? "1 article" : `${articles} articles`} for ${all}.`;
    case "held": {
      const waiting = selected - balance.skipped;
      return `${what} is held: ${readers(waiting)} ${waiting === 1 ? "waits" : "wait"} for your decision.`;
    }
    case "sending":
      return `${what} is going out: ${sent} ${balance.sent === 1 ? "has" : "have"} it.`;
    case "paused":
      return `${what} is paused: ${sent} ${balance.sent === 1 ? "has" : "have"} it.`;
    case "finished":
      if (selected === 0) return `${what} went to nobody: no reader follows any of its tags.`;
      if (balance.sent === selected) return `${what} went out to ${selected === 1 ? "its one reader" : `all ${all}`}.`;
      return `${what} went out to ${sent}.`;
    case "cancelled":
      if (balance.sent === 0) return `${what} was cancelled before anybody got it.`;
      return `${what} was cancelled when ${sent} had it.`;
    case "missed":
      return `${what} was missed.`;
    case "empty":
      return "There was no news for an edition today, so nothing was sent.";
  }
}

function readers(n: number): string {
  return n === 1 ? "1 reader" : `${n.toLocaleString("en")} readers`;
}
