import { operatorPathOf, editionName } from "../base/edition-name.ts";
import { editionReason } from "../editions/reason.ts";
import type { EditionStatus } from "./status.ts";

/** Something that waits for an operator, with the page on which it is decided. */
export interface Decision {
  sentence: string;
  path: string;
  label: string;
}

interface Facts {
  /** The newest editions, newest first. */
  editions: readonly Pick<EditionStatus, "date" | "number" | "state" | "reason_code" | "reason_data" | "balance">[];
  /** Editions that nobody got without a reason, a sentence each. */
  empty: readonly string[];
  unhealthy: readonly { id: number; title: string | null; last_error: string | null }[];
  sources: number;
  readers: number;
  /** Why the relay takes nothing now. */
  relay: string | null;
  /** Whether any date is left to send on. */
  planned: boolean;
}

/** What needs a decision, the most pressing first; empty when all is well. */
export function decisions(facts: Facts): Decision[] {
  const found: Decision[] = [];
  for (const edition of facts.editions) found.push(...ofEdition(edition));
  for (const sentence of facts.empty) {
    found.push({ sentence, path: "/operator/sources", label: "See the sources" });
  }
  if (facts.relay !== null) {
    found.push({
      sentence: `The relay takes no mail at the moment: ${facts.relay}`,
      path: "/operator/editions",
      label: "See the editions",
    });
  }
  for (const source of facts.unhealthy) {
    const name = source.title ?? `Source ${source.id}`;
    const why = source.last_error === null ? "" : `: ${source.last_error}`;
    found.push({
      sentence: ended(`${name} cannot be read${why}`),
      path: "/operator/sources",
      label: "See the sources",
    });
  }
  if (facts.sources === 0) {
    found.push({ sentence: "No source is connected yet.", path: "/operator/sources#add", label: "Connect one" });
  }
  if (facts.readers === 0) {
    found.push({
      sentence: "There is no active reader yet.",
      path: "/operator/readers#import",
      label: "Import a list",
    });
  }
  if (!facts.planned) {
    found.push({ sentence: "No date is left to send on.", path: "/operator/schedule", label: "See the schedule" });
  }
  return found;
}

function ofEdition(edition: Facts["editions"][number]): Decision[] {
  const { date, number, state, balance } = edition;
  const reason = editionReason(edition);
  const name = editionName({ date, number });
  const path = operatorPathOf({ date, number });
  const why = reason === null ? "" : ` ${reason}`;
  if (state === "held") {
    return [{ sentence: `The edition of ${name} is held.${why}`, path, label: "Look at it and decide" }];
  }
  const found: Decision[] = [];
  if (state === "paused") {
    found.push({ sentence: `The edition of ${name} is paused.${why}`, path, label: "Resume or cancel it" });
  }
  if (balance.unknown > 0) {
    const of = balance.unknown === 1 ? "1 delivery" : `${balance.unknown.toLocaleString("en")} deliveries`;
    const sentence = `The relay never answered for ${of} of ${name}.`;
    found.push({ sentence, path: `${path}?state=unknown#deliveries`, label: "Send again, or let be" });
  }
  return found;
}

function ended(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
