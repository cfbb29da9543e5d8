import { isActive, type EditionState } from "../editions/state.ts";
import type { Message } from "../texts/catalogue.ts";
import type { EditionStatus } from "./status.ts";

/** The data for an edition's progress. */
type EditionFacts = Pick<EditionStatus, "date" | "number" | "state" | "articles" | "selected" | "balance">;

/** The data for a day without an edition. */
export interface DayFacts {
  today: string;
  /** The next send; null when none is planned. */
  next: { date: string; at: Date } | null;
  /** Today's edition is due and its articles are being collected. */
  due: boolean;
  /** Today is a skipped send day. */
  skipped: boolean;
}

/** What is to come on a day that has no edition yet: today's edition, a later one, or none. */
export type ComingDay = { code: "due" } | { code: "none" } | { code: "today" | "later" | "later_skipped"; at: Date };

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

/** What is to come on a day that has no edition yet. */
export function comingDay({ due, next, today, skipped }: DayFacts): ComingDay {
  if (due) return { code: "due" };
  if (next === null) return { code: "none" };
  if (next.date === today) return { code: "today", at: next.at };
  return { code: skipped ? "later_skipped" : "later", at: next.at };
}

/** The progress of an edition. Its text also needs `edition`, the edition's name. */
export function editionProgress({ number, state, articles, selected, balance }: EditionFacts): Message {
  const { sent, skipped } = balance;
  const counts = { sent, readers: selected };
  switch (state) {
    case "opening":
      return { key: "progress.opening", values: { articles, readers: selected - skipped } };
    case "held":
      return { key: "progress.held", values: { readers: selected - skipped } };
    case "sending":
      return { key: "progress.sending", values: counts };
    case "paused":
      return { key: "progress.paused", values: counts };
    case "finished":
      if (selected === 0) return { key: "progress.finished_for_nobody", values: {} };
      return { key: sent === selected ? "progress.finished_for_all" : "progress.finished_for_some", values: counts };
    case "cancelled":
      return sent === 0
        ? { key: "progress.cancelled_unsent", values: {} }
        : { key: "progress.cancelled", values: counts };
    case "missed":
      return { key: "progress.missed", values: {} };
    case "empty":
      return { key: number === 1 ? "progress.empty" : "progress.empty_extra", values: {} };
  }
}

/** Something that needs an operator's decision. */
export type Decision<E, S> =
  | { code: "edition_held" | "edition_paused"; edition: E }
  | { code: "outcomes_unknown"; edition: E; deliveries: number }
  | { code: "edition_empty"; sentence: string }
  | { code: "relay_paused"; reason: string }
  | { code: "source_failing"; source: S }
  | { code: "no_sources" | "no_readers" | "no_dates" };

interface Facts<E, S> {
  /** The newest editions, newest first. */
  editions: readonly E[];
  /** One sentence for each edition that unexpectedly reached nobody. */
  empty: readonly string[];
  unhealthy: readonly S[];
  sources: number;
  readers: number;
  /** Why the relay is not accepting email; null if it is. */
  relay: string | null;
  /** Whether a send date is scheduled. */
  planned: boolean;
}

/** What needs a decision, most urgent first. */
export function decisions<E extends Pick<EditionStatus, "state" | "balance">, S>(facts: Facts<E, S>): Decision<E, S>[] {
  return [
    ...facts.editions.flatMap((edition) => ofEdition<E, S>(edition)),
    ...facts.empty.map((sentence) => ({ code: "edition_empty" as const, sentence })),
    ...(facts.relay === null ? [] : [{ code: "relay_paused" as const, reason: facts.relay }]),
    ...facts.unhealthy.map((source) => ({ code: "source_failing" as const, source })),
    ...(facts.sources === 0 ? [{ code: "no_sources" as const }] : []),
    ...(facts.readers === 0 ? [{ code: "no_readers" as const }] : []),
    ...(facts.planned ? [] : [{ code: "no_dates" as const }]),
  ];
}

/** A held edition sends nothing, so it has nothing else to decide. */
function ofEdition<E extends Pick<EditionStatus, "state" | "balance">, S>(edition: E): Decision<E, S>[] {
  const { state, balance } = edition;
  if (state === "held") return [{ code: "edition_held", edition }];
  return [
    ...(state === "paused" ? [{ code: "edition_paused" as const, edition }] : []),
    ...(balance.unknown > 0 ? [{ code: "outcomes_unknown" as const, edition, deliveries: balance.unknown }] : []),
  ];
}
