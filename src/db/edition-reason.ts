import type { Balance } from "../ledger/balance.ts";
import type { LinkResult } from "../editions/links.ts";
import type { ErrorCode } from "../texts/catalogue.ts";

/** What is wrong with a template. `text` is what the compiler said, for an error without a code. */
export type TemplateProblem = { error: ErrorCode; params: Record<string, unknown> } | { text: string };

/** What the pre-send checks can find, with the values of each sentence. */
interface Findings {
  email_too_large: { kb: number; limit: number };
  /** `result` is null for an address that leads nowhere. */
  link_broken: { title: string; result: LinkResult | null };
  more_links_broken: { count: number };
  more_articles_than_usual: { articles: number; most: number };
  fewer_articles_than_usual: { articles: number; fewest: number };
  fewer_readers_than_usual: { selected: number; readers: number; fewest: number };
  source_silent: { source: string; days: number };
  template_failed: TemplateProblem;
  /** A sentence of an older release. */
  other: { text: string };
}
export type Finding = { [Code in keyof Findings]: { code: Code; data: Findings[Code] } }[keyof Findings];

/** Why an edition is in its state. Stored with it; instants are ISO 8601, as JSON holds them. */
interface Reasons {
  missed_service_down: { sendAt: string; timezone: string; hours: number };
  missed_schedule_changed: { sendAt: string; timezone: string };
  sent_late: { minutes: number };
  sent_late_after_template_failed: { minutes: number };
  no_articles: Record<string, never>;
  approved_by: { actor: string };
  sent_without_approval: { deadline: string; timezone: string };
  waiting_for_approval: { until: string; timezone: string; afterwards: "send" | "hold" };
  not_approved_in_time: { deadline: string; timezone: string };
  /** Without findings once an editor has fixed everything; the edition still waits for approval. */
  held_by_checks: { findings: Finding[] };
  relay_refuses_all: { reply: string };
  many_addresses_gone: { gone: number; answered: number };
  suppressions_removed: { actor: string; count: number };
  not_balanced: Balance;
  template_failed: TemplateProblem;
  /** An operator's own words, and sentences of older releases. */
  other: { text: string };
}
export type ReasonCode = keyof Reasons;
export type Reason = { [Code in ReasonCode]: { code: Code; data: Reasons[Code] } }[ReasonCode];

export const reasonCodes = [
  "missed_service_down",
  "missed_schedule_changed",
  "sent_late",
  "sent_late_after_template_failed",
  "no_articles",
  "approved_by",
  "sent_without_approval",
  "waiting_for_approval",
  "not_approved_in_time",
  "held_by_checks",
  "relay_refuses_all",
  "many_addresses_gone",
  "suppressions_removed",
  "not_balanced",
  "template_failed",
  "other",
] as const satisfies readonly ReasonCode[];

/** The columns of an edition that hold its reason. */
export interface ReasonColumns {
  reason_code: ReasonCode | null;
  reason_data: object | null;
}

/** For an update or insert of an edition. */
export function reasonColumns(reason: Reason | null): { reason_code: ReasonCode | null; reason_data: never } {
  return {
    reason_code: reason?.code ?? null,
    reason_data: (reason === null ? null : JSON.stringify(reason.data)) as never,
  };
}

/** The reason as it is stored with an edition. */
export function reasonOfEdition({ reason_code, reason_data }: ReasonColumns): Reason | null {
  return reason_code === null ? null : ({ code: reason_code, data: reason_data } as Reason);
}
