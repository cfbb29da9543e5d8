import { englishWording, type MessageKey } from "./catalogue.ts";
import { serviceName } from "./outcomes.ts";
import type { otherReasons } from "../subscribers/suppression-search.ts";
import type { SuppressionReason, SuppressionSource } from "../subscribers/suppressions.ts";

const reasonKeys: Readonly<Record<SuppressionReason | typeof otherReasons, MessageKey>> = {
  bounce: "suppression.bounce",
  complaint: "suppression.complaint",
  erased: "suppression.erased",
  operator: "suppression.operator",
  unsubscribed: "suppression.unsubscribed",
  other: "suppression.other",
};

/** A reason's code in words. A reason that an operator wrote stays as it is. */
export function suppressionReasonInWords(reason: string): string {
  return Object.hasOwn(reasonKeys, reason) ? englishWording().say(reasonKeys[reason as SuppressionReason]) : reason;
}

/** Who said that the address must not be emailed, such as `Reported by the API`. */
export function suppressionSourceInWords(source: SuppressionSource): string {
  return englishWording().say("suppression.source", { source, name: serviceName(source) });
}
