import { operatorPathOf, editionName } from "../base/edition-name.ts";
import { editionReason } from "../editions/reason.ts";
import type { EditionStatus } from "./status.ts";

/** Something that needs an operator's decision, with the page for it. */
export interface Decision {
  sentence: string;
  path: string;
  label: string;
}

interface Facts {
  /** The newest editions, newest first. */
  editions: readonly Pick<EditionStatus, "date" | "number" | "state" | "reason_code" | "reason_data" | "balance">[];
  /** Editions that were unexpectedly sent to nobody, one sentence each. */
  empty: readonly string[];
  unhealthy: readonly { id: number; title: string | null; last_error: string | null }[];
  sources: number;
  readers: number;
  /** Why the relay is not accepting email; null if it is. */
  relay: string | null;
  /** Whether a send date is scheduled. */
  planned: boolean;
}

/** What needs a decision, most urgent first. */
export function decisions(facts: Facts): Decision[] {
  const found: Decision[] = [];
  for (const edition of facts.editions) found.push(...ofEdition(edition));
  for (const sentence of facts.empty) {
    found.push({ sentence, path: "/operator/sources", label: "Review sources" });
  }
  if (facts.relay !== null) {
    found.push({
      sentence: `The relay is not accepting email: ${facts.relay}`,
      path: "/operator/editions",
      label: "Review editions",
    });
  }
  for (const source of facts.unhealthy) {
    const name = source.title ?? `Source ${source.id}`;
    const why = source.last_error === null ? "" : `: ${source.last_error}`;
    found.push({
      sentence: ended(`${name} cannot be read${why}`),
      path: "/operator/sources",
      label: "Review sources",
    });
  }
  if (facts.sources === 0) {
    found.push({ sentence: "No sources are connected yet.", path: "/operator/sources#add", label: "Connect a source" });
  }
  if (facts.readers === 0) {
    found.push({
      sentence: "There are no active readers yet.",
      path: "/operator/readers#import",
      label: "Import readers",
    });
  }
  if (!facts.planned) {
    found.push({ sentence: "No send date is scheduled.", path: "/operator/schedule", label: "Change schedule" });
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
    return [{ sentence: `Edition ${name} is held.${why}`, path, label: "Review edition" }];
  }
  const found: Decision[] = [];
  if (state === "paused") {
    found.push({ sentence: `Edition ${name} is paused.${why}`, path, label: "Resume or cancel edition" });
  }
  if (balance.unknown > 0) {
    const of = balance.unknown === 1 ? "1 delivery" : `${balance.unknown.toLocaleString("en")} deliveries`;
    const sentence = `The relay did not confirm ${of} of ${name}.`;
    found.push({ sentence, path: `${path}?state=unknown#deliveries`, label: "Resend or dismiss" });
  }
  return found;
}

function ended(sentence: string): string {
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}
