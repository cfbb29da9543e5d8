import { sayReadError } from "../../texts/problems.ts";
import type { ReadError } from "../../sources/store.ts";
import { editionName, operatorPathOf } from "../../base/edition-name.ts";
import { editionReason } from "../../texts/editions.ts";
import { type Decision, editionProgress, type ComingDay } from "../../alerts/today.ts";
import type { EditionStatus } from "../../alerts/status.ts";
import { englishWording, type MessageKey } from "../../texts/catalogue.ts";
import { span } from "./format.ts";

type ProgressFacts = Parameters<typeof editionProgress>[0];

/** The progress of an edition in a sentence. */
export function progressText(edition: ProgressFacts, today: string): string {
  const { say } = englishWording();
  const { date, number } = edition;
  const { key, values } = editionProgress(edition);
  const day = date === today ? "today" : "other";
  return say(key, {
    ...values,
    edition: say(number === 1 ? "progress.edition" : "progress.extra", { day, date, number }),
  });
}

/** What is to come on a day that has no edition yet. @param dayOf for example `Wednesday 25 November` */
export function comingText(
  coming: ComingDay,
  { now, sendAt, dayOf }: { now: Date; sendAt: string; dayOf(at: Date): string },
): string {
  const { say } = englishWording();
  if (coming.code === "due") return say("coming.due");
  if (coming.code === "none") return say("coming.none");
  const wait = span(coming.at.getTime() - now.getTime());
  if (coming.code === "today") return say("coming.today", { time: sendAt, wait });
  return say(coming.code === "later" ? "coming.later" : "coming.later_skipped", { day: dayOf(coming.at), wait });
}

/** A decision as a sentence, with the page on which it is made. */
export interface ShownDecision {
  sentence: string;
  path: string;
  label: string;
}

type DecisionEdition = Pick<EditionStatus, "date" | "number" | "reason_code" | "reason_data">;
type DecisionSource = { id: number; title: string | null; read_error: ReadError | null };

export function showDecision(decision: Decision<DecisionEdition, DecisionSource>): ShownDecision {
  const { say } = englishWording();
  const shown = (sentence: string, path: string, label: MessageKey): ShownDecision => ({
    sentence,
    path,
    label: say(label),
  });
  switch (decision.code) {
    case "edition_held":
    case "edition_paused": {
      const { code, edition } = decision;
      const values = { edition: editionName(edition), reason: editionReason(edition) ?? "none" };
      const held = code === "edition_held";
      const sentence = say(held ? "decision.edition_held" : "decision.edition_paused", values);
      return shown(sentence, operatorPathOf(edition), held ? "decision.review_edition" : "decision.resume_edition");
    }
    case "outcomes_unknown": {
      const { edition, deliveries } = decision;
      const sentence = say("decision.outcomes_unknown", { n: deliveries, edition: editionName(edition) });
      return shown(sentence, `${operatorPathOf(edition)}?state=unknown#deliveries`, "decision.resend");
    }
    case "edition_empty":
      return shown(decision.sentence, "/operator/sources", "decision.review_sources");
    case "relay_paused":
      return shown(say("decision.relay_paused", { reason: decision.reason }), "/operator/relay", "decision.view_relay");
    case "source_failing": {
      const { id, title, read_error } = decision.source;
      const reason = read_error === null ? "none" : sayReadError(read_error);
      const values = { named: title === null ? "no" : "yes", title: title ?? "", id, reason };
      return shown(say("decision.source_failing", values), "/operator/sources", "decision.review_sources");
    }
    case "no_sources":
      return shown(say("decision.no_sources"), "/operator/sources#add", "decision.connect_source");
    case "no_readers":
      return shown(say("decision.no_readers"), "/operator/readers#import", "decision.import_readers");
    case "no_dates":
      return shown(say("decision.no_dates"), "/operator/schedule", "decision.change_schedule");
  }
}
